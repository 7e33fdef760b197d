package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;
import dev.cloister.program.Instruction;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.MountOperation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Where a launcher's time goes, without a tracer that would take most of it: the launcher, and the
 * same one made to end before each of its instructions, in turn. What one costs more than the one
 * before is that instruction, with whatever the kernel has to undo of it at the end.
 */
final class PhaseSet implements MeasuredSet {
  private static final int ROUNDS = 300;

  @Override
  public String name() {
    return "phases";
  }

  @Override
  public Results measure(Workplace workplace) throws Exception {
    Samples samples = workplace.samples(name(), "µs", "step");
    SyscallProgram whole = Plans.plan("pivot_root", mounts(workplace.nothing()));
    Map<String, String> names = new LinkedHashMap<>();
    Starts starts = Starts.in(workplace);
    for (int length = 0; length <= whole.instructions().size(); length++) {
      String step = "" + length;
      names.put(step, length == 0 ? "(a process)" : name(whole.instructions().get(length - 1)));
      starts.add(step, command(workplace, whole, length));
    }
    starts
        .run(workplace.rounds(ROUNDS))
        .forEach((step, times) -> samples.add(names.getOrDefault(step, step), step, times));
    return samples.results();
  }

  private static List<String> command(Workplace workplace, SyscallProgram whole, int length)
      throws Exception {
    List<Instruction> first = whole.instructions().subList(0, length);
    SyscallProgram program = new SyscallProgram(whole.name(), first).ending();
    Path file = Plans.write(workplace.directory().resolve("phase-" + length), program);
    List<String> words = new ArrayList<>(List.of(file.toString()));
    words.addAll(Nothing.inside());
    return words;
  }

  /** The system call's, or what kind of instruction it is. */
  private static String name(Instruction instruction) {
    return instruction instanceof Instruction.Call call
        ? call.call().name().toLowerCase(Locale.ROOT)
        : "(" + instruction.getClass().getSimpleName() + ")";
  }

  private static List<MountOperation> mounts(Nothing nothing) throws Exception {
    List<MountOperation> mounts = new ArrayList<>();
    for (String path : Nothing.BINDS) {
      mounts.add(Plans.bind(Path.of(path), path, MountOperation.Access.DEVICES));
    }
    mounts.add(Plans.bind(nothing.directory(), Nothing.PLACE, MountOperation.Access.READ_WRITE));
    return mounts;
  }
}
