package dev.cloister.program;

/**
 * A place where a program keeps the result of a call for later calls, such as a descriptor.
 *
 * @param name as it is shown to a person; two slots of one name are the same place
 */
public record Slot(String name) {}
