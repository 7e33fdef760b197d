package dev.cloister.seccomp;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.seccomp.BpfAssembler.Label;
import dev.cloister.seccomp.SystemCallTable.Range;
import dev.cloister.spec.SeccompFilter;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What ordinary programs need, and nothing else (docs/seccomp.md): an allow-list. What nobody knew
 * when it was written is answered as by a kernel that does not have it.
 *
 * <p>A call is found by halving: seven comparisons at most. Where the arguments do not matter,
 * Linux 5.11 and later find out once, when the filter is installed, that the answer is to allow,
 * and run it no more for such a call (seccomp_cache_prepare of kernel/seccomp.c); it must therefore
 * load nothing but the architecture and the number on the way there.
 */
public enum DefaultProfile implements SeccompFilter {
  /** The only one. */
  INSTANCE;

  /** AUDIT_ARCH_X86_64 of linux/audit.h: EM_X86_64, 64 bits, little-endian. */
  static final int AUDIT_ARCH_X86_64 = 0xc000003e;

  static final int AUDIT_ARCH_AARCH64 = 0xc00000b7;

  @Override
  public byte[] instructions(Architecture architecture) {
    return new Writing(architecture).write();
  }

  @Override
  public String text() {
    return "filter=the default profile";
  }

  /** Writes it for one architecture. */
  private static final class Writing {
    private final Architecture architecture;
    private final BpfAssembler code = new BpfAssembler();
    private final Map<Verdict, Label> verdicts = new EnumMap<>(Verdict.class);
    private final Label kill = new Label();
    private final Label noFamily = new Label();

    Writing(Architecture architecture) {
      this.architecture = architecture;
      for (Verdict verdict : Verdict.values()) {
        verdicts.put(verdict, new Label());
      }
    }

    byte[] write() {
      Label known = new Label();
      code.add(Bpf.LOAD_DATA, Bpf.ARCHITECTURE)
          .compare(Bpf.JUMP_IF_EQUAL, auditArchitecture(), known, kill)
          .place(known)
          .add(Bpf.LOAD_DATA, Bpf.NUMBER);
      search(SystemCallTable.ranges(architecture));
      writeVerdicts();
      answer(kill, LinuxConstant.SECCOMP_RET_KILL_PROCESS, 0);
      return code.assemble();
    }

    private int auditArchitecture() {
      return switch (architecture) {
        case X86_64 -> AUDIT_ARCH_X86_64;
        case AARCH64 -> AUDIT_ARCH_AARCH64;
      };
    }

    /**
     * Numbers are unsigned here, so those of x32, which have bit 30, are beyond the last range, and
     * so is the -1 that a tracer puts in place of a call it skips.
     */
    private void search(List<Range> ranges) {
      int middle = ranges.size() / 2;
      List<Range> lower = ranges.subList(0, middle);
      List<Range> upper = ranges.subList(middle, ranges.size());
      Label below = target(lower);
      Label above = target(upper);
      code.compare(Bpf.JUMP_IF_NOT_BELOW, upper.getFirst().first(), above, below);
      searchFurther(lower, below);
      searchFurther(upper, above);
    }

    private Label target(List<Range> ranges) {
      return ranges.size() == 1 ? label(ranges.getFirst().verdict()) : new Label();
    }

    private void searchFurther(List<Range> ranges, Label start) {
      if (ranges.size() > 1) {
        code.place(start);
        search(ranges);
      }
    }

    private Label label(Verdict verdict) {
      Label label = verdicts.get(verdict);
      if (label == null) {
        throw new IllegalStateException("no label for " + verdict);
      }
      return label;
    }

    /** Those that depend on arguments first, as the machine cannot jump back. */
    private void writeVerdicts() {
      Verdict.Answers answers =
          new Verdict.Answers(
              label(Verdict.ALLOW), label(Verdict.REFUSE), label(Verdict.UNKNOWN), noFamily);
      for (Verdict verdict : Verdict.values()) {
        switch (verdict) {
          case CLONE, UNSHARE, PERSONALITY, IOCTL, SOCKET -> {
            code.place(label(verdict));
            verdict.write(code, answers);
          }
          case ALLOW, REFUSE, UNKNOWN -> {}
        }
      }
      answer(answers.allow(), LinuxConstant.SECCOMP_RET_ALLOW, 0);
      answer(answers.refuse(), LinuxConstant.SECCOMP_RET_ERRNO, Errno.EPERM.number());
      answer(answers.unknown(), LinuxConstant.SECCOMP_RET_ERRNO, Errno.ENOSYS.number());
      answer(noFamily, LinuxConstant.SECCOMP_RET_ERRNO, Errno.EAFNOSUPPORT.number());
    }

    private void answer(Label label, LinuxConstant action, int errno) {
      code.place(label).add(Bpf.RETURN, (int) action.value(architecture) | errno);
    }
  }
}
