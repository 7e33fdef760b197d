/**
 * A judge of programming contests: {@link dev.cloister.examples.judge.Judge} compiles and runs
 * programs that nobody trusts, each step in a sandbox of its own.
 */
@NullMarked
package dev.cloister.examples.judge;

import org.jspecify.annotations.NullMarked;
