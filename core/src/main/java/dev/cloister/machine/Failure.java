package dev.cloister.machine;

/**
 * How a piece of code reports that it failed.
 *
 * @param step the number of the step that it is part of
 * @param report where to go, as {@link Routines#fail}
 */
record Failure(int step, Label report) {}
