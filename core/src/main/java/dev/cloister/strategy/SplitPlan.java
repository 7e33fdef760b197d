package dev.cloister.strategy;

import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.Handover;

/**
 * A strategy's program in two: what can be done before the command is known, and the rest.
 *
 * @param setUp makes the sandbox's namespaces, sends a descriptor of each on its report channel
 *     ({@link Handover#KEEP}, in the order in which they are to be entered), says that it is ready
 *     and ends
 * @param command enters them and becomes the command; it can be run once
 * @param entering what that is handed over
 */
public record SplitPlan(SyscallProgram setUp, SyscallProgram command, Handover entering) {}
