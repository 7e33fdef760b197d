package dev.cloister.machine;

/**
 * How a piece of code reports that it failed.
 *
 * @param step the number that stands for it where no text does
 * @param place what a message starts with
 * @param noHints an empty table of hints
 * @param report where to go, as {@link Routines#fail}
 */
record Failure(int step, String place, Label noHints, Label report) {}
