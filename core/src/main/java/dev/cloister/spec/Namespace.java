package dev.cloister.spec;

import dev.cloister.ffm.LinuxConstant;

/** A namespace the command can have of its own, beside the mount namespace it always has. */
public enum Namespace {
  NET(LinuxConstant.CLONE_NEWNET, "net"),
  IPC(LinuxConstant.CLONE_NEWIPC, "ipc"),
  UTS(LinuxConstant.CLONE_NEWUTS, "uts"),
  CGROUP(LinuxConstant.CLONE_NEWCGROUP, "cgroup"),
  PID(LinuxConstant.CLONE_NEWPID, "pid");

  private final LinuxConstant flag;
  private final String word;

  Namespace(LinuxConstant flag, String word) {
    this.flag = flag;
    this.word = word;
  }

  /** The flag of unshare(2). */
  public LinuxConstant flag() {
    return flag;
  }

  /** The kernel's name of it, as in {@code /proc/self/ns}. */
  public String word() {
    return word;
  }
}
