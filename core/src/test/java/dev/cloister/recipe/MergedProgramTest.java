package dev.cloister.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.SystemCall;
import dev.cloister.host.CallerKind;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Instruction.OnlyFor;
import dev.cloister.program.Operand;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a launcher for anyone is made of is in PortableTest. */
class MergedProgramTest {
  private static Instruction close(long descriptor) {
    return Call.of(SystemCall.CLOSE, Operand.of(descriptor));
  }

  private static Instruction unshare(long flags) {
    return Call.of(SystemCall.UNSHARE, Operand.of(flags));
  }

  /** Steps of its own, then as many that all have, then steps of its own again. */
  private static List<Instruction> list(int common, long own) {
    List<Instruction> list = new ArrayList<>();
    list.add(unshare(own));
    for (int i = 0; i < common; i++) {
      list.add(close(i));
    }
    list.add(unshare(own));
    return list;
  }

  /** Each mount is some steps, and a sandbox may have thousands. */
  @Test
  void whatManyStepsHaveInCommonStandsThereOnce() {
    int common = 40_000;
    List<Instruction> merged =
        MergedProgram.of(
            Map.of(
                CallerKind.ROOT, list(common, 1),
                CallerKind.PLAIN_ROOT, list(common, 2),
                CallerKind.USER, list(common, 2)));
    OnlyFor root = new OnlyFor(Set.of(CallerKind.ROOT), List.of(unshare(1)));
    OnlyFor others =
        new OnlyFor(Set.of(CallerKind.PLAIN_ROOT, CallerKind.USER), List.of(unshare(2)));
    assertEquals(List.of(root, others), merged.subList(0, 2));
    assertEquals(list(common, 0).subList(1, common + 1), merged.subList(2, common + 2));
    assertEquals(List.of(root, others), merged.subList(common + 2, merged.size()));
  }
}
