package dev.cloister.benchmarks.report;

/** What could not be measured on a machine, and why: nothing stands in its place. */
public record LeftOut(String subject, String reason) {}
