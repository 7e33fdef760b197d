package dev.cloister.program;

/**
 * Zeroed scratch memory of a program.
 *
 * @param name as it is shown to a person; two buffers of one name are the same memory
 * @param size in bytes
 */
public record Buffer(String name, int size) {}
