package dev.cloister.seccomp;

import dev.cloister.seccomp.BpfAssembler.Label;
import java.util.Locale;

/** What the default profile says to a system call. */
enum Verdict {
  ALLOW,

  /** As a kernel that does not have it: programs have another way, or can live without. */
  UNKNOWN,

  /** EPERM: as to somebody who may not. */
  REFUSE,

  /** Processes and threads, but no new namespaces. */
  CLONE {
    @Override
    void write(BpfAssembler code, Answers answers) {
      code.add(Bpf.LOAD_DATA, Bpf.argument(0))
          .compare(Bpf.JUMP_IF_ANY_BIT, CLONE_NAMESPACES, answers.refuse(), answers.allow());
    }
  },

  /**
   * The kernel finds ever more things to unshare, so those that are no namespaces are named:
   * CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_THREAD and CLONE_SYSVSEM.
   */
  UNSHARE {
    @Override
    void write(BpfAssembler code, Answers answers) {
      code.add(Bpf.LOAD_DATA, Bpf.argument(0))
          .compare(Bpf.JUMP_IF_ANY_BIT, ~UNSHARE_OTHERS, answers.refuse(), answers.allow());
    }
  },

  /**
   * To ask (0xffffffff), and PER_LINUX and PER_LINUX32, both also with UNAME26: not those that make
   * addresses predictable or page 0 accessible.
   */
  PERSONALITY {
    @Override
    void write(BpfAssembler code, Answers answers) {
      code.add(Bpf.LOAD_DATA, Bpf.argument(0));
      for (int persona : PERSONALITIES) {
        code.compare(Bpf.JUMP_IF_EQUAL, persona, answers.allow());
      }
      code.jump(answers.refuse());
    }
  },

  /**
   * Nothing that types into the terminal, whose other end is the caller's shell. The kernel looks
   * at the lower half of the request only, so a filter that looks at all of it is passed by
   * (CVE-2019-10063).
   */
  IOCTL {
    @Override
    void write(BpfAssembler code, Answers answers) {
      code.add(Bpf.LOAD_DATA, Bpf.argument(1))
          .compare(Bpf.JUMP_IF_EQUAL, TIOCSTI, answers.refuse())
          .compare(Bpf.JUMP_IF_EQUAL, TIOCLINUX, answers.refuse(), answers.allow());
    }
  },

  /**
   * Local, internet and kernel sockets. The others load protocols that few have looked at, and
   * AF_VSOCK knows no network namespace: it would reach the host of a virtual machine.
   */
  SOCKET {
    @Override
    void write(BpfAssembler code, Answers answers) {
      code.add(Bpf.LOAD_DATA, Bpf.argument(0));
      for (int family : FAMILIES) {
        code.compare(Bpf.JUMP_IF_EQUAL, family, answers.allow());
      }
      code.jump(answers.noFamily());
    }
  };

  /** CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID and -NET; a new time needs unshare(2). */
  static final int CLONE_NAMESPACES = 0x7e020000;

  static final int UNSHARE_OTHERS = 0x50f00;
  static final int TIOCSTI = 0x5412;
  static final int TIOCLINUX = 0x541c;

  private static final int[] PERSONALITIES = {0, 8, 0x20000, 0x20008, -1};

  /** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. */
  private static final int[] FAMILIES = {1, 2, 10, 16};

  /** Where the filter ends. */
  record Answers(Label allow, Label refuse, Label unknown, Label noFamily) {}

  /** Judges the call's arguments, if they matter. */
  void write(BpfAssembler code, Answers answers) {
    throw new UnsupportedOperationException(this + " looks at no argument");
  }

  /** By its word in the table. */
  static Verdict of(String word) {
    return valueOf(word.toUpperCase(Locale.ROOT));
  }
}
