package dev.cloister.host;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.LinuxConstant;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** What {@code /proc/self} says this process may use. */
final class CallerAllowance implements Allowance {
  /** A name of 25 characters and a soft limit of 20, each with a blank (fs/proc/base.c). */
  private static final int HARD_COLUMN = 26 + 21;

  private static final String UNLIMITED = "unlimited";

  private final Path root;

  /**
   * The caller's.
   *
   * @param root {@code /}, or a directory with files like those of a host
   */
  CallerAllowance(Path root) {
    this.root = root;
  }

  /** The lines of {@code /proc/self/limits} are in the order of the numbers, below a heading. */
  @Override
  public OptionalLong hardLimit(LinuxConstant resource) {
    Optional<String> limits = KernelFile.read(root.resolve("proc/self/limits"));
    if (limits.isEmpty()) {
      return OptionalLong.empty();
    }
    String line = limits.get().split("\n", -1)[1 + (int) resource.value(Architecture.X86_64)];
    String hard = line.substring(HARD_COLUMN).split(" ", 2)[0];
    return OptionalLong.of(hard.equals(UNLIMITED) ? -1 : Long.parseUnsignedLong(hard));
  }

  @Override
  public CgroupPlace cgroup(Set<CgroupController> controllers) {
    return new CgroupSearch(root).place(controllers);
  }
}
