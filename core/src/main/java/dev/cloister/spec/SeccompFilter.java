package dev.cloister.spec;

import dev.cloister.ffm.Architecture;

/** A seccomp filter: a program of the classic BPF machine that judges each system call. */
public interface SeccompFilter {
  /**
   * Its instructions, 8 bytes each, as {@code struct sock_filter} has them (linux/filter.h), valid
   * as the kernel checks it.
   */
  byte[] instructions(Architecture architecture);

  /** {@code struct sock_fprog} as a person reads it, without braces: {@code len=4, filter=...}. */
  String text();
}
