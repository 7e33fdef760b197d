package dev.cloister.probe;

import dev.cloister.host.Evidence;
import dev.cloister.host.KernelFile;
import dev.cloister.recipe.InheritedDescriptors;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Assessment.Cause;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A number that the host sets and that can stop Cloister.
 *
 * @param name a sysctl's, or in words
 * @param value as the host writes it
 * @param assessment whether it leaves room; what is used up cannot always be seen
 */
public record Limit(String name, String value, Assessment assessment) {
  /** For the highest number that launchers use. */
  private static final long ENOUGH_FILES = InheritedDescriptors.LAST_KNOWN + 1;

  /** The limits of this host. */
  public static List<Limit> of(Diagnosis diagnosis) {
    Evidence evidence = diagnosis.evidence();
    List<Limit> limits = new ArrayList<>(namespaces(diagnosis));
    evidence
        .sysctl("fs.mount-max")
        .ifPresent(max -> limits.add(mounts(diagnosis, max, evidence.mounts())));
    evidence
        .sysctl("vm.memfd_noexec")
        .ifPresent(value -> limits.add(memoryFiles(diagnosis, value)));
    openFiles().ifPresent(limits::add);
    return limits;
  }

  /** Most hosts have one number for all kinds: those that share one are one limit. */
  private static List<Limit> namespaces(Diagnosis diagnosis) {
    Map<String, List<String>> kinds = new LinkedHashMap<>();
    for (String kind : Evidence.NAMESPACES) {
      diagnosis
          .evidence()
          .sysctl(Evidence.limitOn(kind))
          .ifPresent(value -> kinds.computeIfAbsent(value, _ -> new ArrayList<>()).add(kind));
    }
    List<Limit> limits = new ArrayList<>();
    kinds.forEach(
        (value, all) -> {
          if (value.equals("0")) {
            for (String kind : all) {
              limits.add(
                  unusable(Evidence.limitOn(kind), value, diagnosis.causes().limit(List.of(kind))));
            }
          } else {
            String name = all.size() == 1 ? all.getFirst() : kinds.size() == 1 ? "*" : braces(all);
            limits.add(usable(Evidence.limitOn(name), value));
          }
        });
    return limits;
  }

  private static String braces(List<String> words) {
    return "{" + String.join(",", words) + "}";
  }

  private static Limit mounts(Diagnosis diagnosis, String max, int used) {
    String value = max + ", " + used + " used";
    return used < Long.parseLong(max)
        ? usable("fs.mount-max", value)
        : unusable("fs.mount-max", value, diagnosis.causes().tooManyMounts());
  }

  private static Limit memoryFiles(Diagnosis diagnosis, String value) {
    return value.equals("2")
        ? unusable("vm.memfd_noexec", value, diagnosis.causes().memoryFilesForbidden())
        : usable("vm.memfd_noexec", value);
  }

  /** The caller's, which is the parent's: the JVM has raised its own. */
  private static Optional<Limit> openFiles() {
    try {
      String parent = KernelFile.field(Path.of("/proc/self/status"), "PPid:");
      String soft = KernelFile.field(Path.of("/proc", parent, "limits"), "Max open files");
      boolean enough = soft.equals("unlimited") || Long.parseLong(soft) >= ENOUGH_FILES;
      Cause cause = new Cause("the limit on open files is " + soft, "raise it: ulimit -n 1024");
      return Optional.of(enough ? usable("open files", soft) : unusable("open files", soft, cause));
    } catch (IOException e) {
      // The parent is another user's: its limits are not to be seen.
      return Optional.empty();
    }
  }

  private static Limit usable(String name, String value) {
    return new Limit(name, value, Assessment.USABLE);
  }

  private static Limit unusable(String name, String value, Cause cause) {
    return new Limit(name, value, new Assessment.Unusable(Optional.empty(), cause));
  }
}
