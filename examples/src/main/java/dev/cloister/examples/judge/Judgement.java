package dev.cloister.examples.judge;

import dev.cloister.sandbox.Result;
import java.util.Optional;

/**
 * The verdict on a submission.
 *
 * @param verdict in one word
 * @param reason for a person: the compiler's messages, what was written to standard error; may be
 *     empty
 * @param run how the program ended and what it took, if there was one
 */
public record Judgement(Verdict verdict, String reason, Optional<Result> run) {}
