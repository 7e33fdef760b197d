package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.OsString;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The environment a command finds, read from its own procfs file. */
class EnvironmentTest {
  private static final Instruction SHOW =
      new Instruction.ExecuteProgram(
          OsString.of("/bin/cat"), List.of(OsString.of("cat"), OsString.of("/proc/self/environ")));

  /** Its value contains what looks like another variable; its name is the start of another's. */
  private static final List<OsString> CALLER =
      texts(
          "FOO=1", "FOOBAR=2", "FO=3", "EMPTY=", "PATH=/usr/bin:/bin", "X=FOO=4", "no equals", "");

  private static final EnvironmentRules INHERIT = EnvironmentRules.INHERIT;

  @TempDir Path directory;

  private static List<OsString> texts(String... texts) {
    List<OsString> list = new ArrayList<>();
    for (String text : texts) {
      list.add(OsString.of(text));
    }
    return list;
  }

  private static OsString text(String text) {
    return OsString.of(text);
  }

  private List<OsString> after(List<OsString> caller, Instruction... instructions)
      throws Exception {
    List<Instruction> all = new ArrayList<>(List.of(instructions));
    all.add(SHOW);
    Path launcher = Launcher.of(directory, all.toArray(Instruction[]::new));
    // The command is /dev/null: cat appends nothing.
    Execution.Ended ended = Execution.of(launcher, "/dev/null").environment(caller).end();
    assertEquals(0, ended.exit(), ended.error());
    return ended.strings();
  }

  private List<OsString> after(EnvironmentRules rules) throws Exception {
    return after(CALLER, new Instruction.FilterEnvironment(rules));
  }

  @Test
  void passesThroughUntouched() throws Exception {
    assertEquals(CALLER, after(INHERIT));
    assertEquals(CALLER, after(INHERIT.keep(text("FOO"))));
    assertEquals(List.of(), after(List.of(), new Instruction.FilterEnvironment(INHERIT)));
  }

  @Test
  void namesTheDirectory() throws Exception {
    OsString place = text("PLACE");
    Instruction.Call enter = Instruction.Call.of(SystemCall.CHDIR, Operand.of("/usr/bin"));
    Instruction.NameDirectory name = new Instruction.NameDirectory(place);
    List<OsString> expected = new ArrayList<>(CALLER);
    expected.add(text("PLACE=/usr/bin"));
    assertEquals(expected, after(CALLER, enter, name));
    assertEquals(texts("PLACE=/usr/bin"), after(List.of(), enter, name));
    // Whoever is to have it set has no other of that name.
    EnvironmentRules rules = INHERIT.setToDirectory(text("FOO"));
    expected.remove(text("FOO=1"));
    assertEquals(expected, after(CALLER, new Instruction.FilterEnvironment(rules), enter, name));
    assertEquals(List.of(text("FOO")), rules.directories());
    assertEquals(List.of(), rules.clear().directories());
  }

  @Test
  void clears() throws Exception {
    assertEquals(List.of(), after(INHERIT.clear()));
    assertEquals(texts("A=b"), after(INHERIT.clear().set(text("A"), text("b"))));
  }

  @Test
  void keepsWhatIsNamed() throws Exception {
    EnvironmentRules rules = INHERIT.clear().keep(text("FOO")).keep(text("EMPTY"));
    assertEquals(texts("FOO=1", "EMPTY="), after(rules.keep(text("MISSING"))));
    assertEquals(texts("FO=3"), after(INHERIT.clear().keep(text("FO"))));
  }

  @Test
  void unsetsWhatIsNamed() throws Exception {
    List<OsString> rest = new ArrayList<>(CALLER);
    rest.remove(text("FOO=1"));
    assertEquals(rest, after(INHERIT.unset(text("FOO"))));
    rest.remove(text("EMPTY="));
    assertEquals(rest, after(INHERIT.unset(text("FOO")).unset(text("EMPTY"))));
    assertEquals(CALLER, after(INHERIT.unset(text("FOOB"))));
  }

  @Test
  void setsOverAndBesideWhatWasThere() throws Exception {
    List<OsString> rest = new ArrayList<>(CALLER);
    rest.remove(text("FOO=1"));
    rest.add(text("NEW=a=b"));
    rest.add(text("FOO="));
    assertEquals(rest, after(INHERIT.set(text("NEW"), text("a=b")).set(text("FOO"), text(""))));
  }

  @Test
  void treatsEveryDuplicateAlike() throws Exception {
    List<OsString> caller = texts("D=1", "E=x", "D=2", "D=1");
    assertEquals(
        texts("D=1", "D=2", "D=1"),
        after(caller, new Instruction.FilterEnvironment(INHERIT.clear().keep(text("D")))));
    assertEquals(
        texts("E=x"), after(caller, new Instruction.FilterEnvironment(INHERIT.unset(text("D")))));
    assertEquals(
        texts("E=x", "D=3"),
        after(caller, new Instruction.FilterEnvironment(INHERIT.set(text("D"), text("3")))));
  }

  @Test
  void keepsBytesOfNoEncoding() throws Exception {
    OsString odd = OsString.ofBytes(new byte[] {'B', '=', (byte) 0xff, '\n', 1, (byte) 0xc3});
    assertEquals(
        List.of(odd),
        after(List.of(odd), new Instruction.FilterEnvironment(INHERIT.unset(text("A")))));
    OsString name = OsString.ofBytes(new byte[] {(byte) 0x80});
    assertEquals(
        List.of(name.concat(text("=v"))),
        after(
            List.of(odd, name.concat(text("=v"))),
            new Instruction.FilterEnvironment(INHERIT.clear().keep(name))));
  }

  @Test
  void filtersTenThousandVariables() throws Exception {
    List<OsString> caller = new ArrayList<>();
    List<OsString> expected = new ArrayList<>();
    EnvironmentRules rules = INHERIT;
    for (int i = 0; i < 10_000; i++) {
      OsString variable = text("V" + i + "=" + i);
      caller.add(variable);
      if (i % 100 == 0) {
        rules = rules.unset(text("V" + i));
      } else {
        expected.add(variable);
      }
    }
    assertEquals(expected, after(caller, new Instruction.FilterEnvironment(rules)));
  }

  @Test
  void filtersWhatWasFilteredBefore() throws Exception {
    assertEquals(
        texts("B=2", "C=3"),
        after(
            texts("A=1", "B=1"),
            new Instruction.FilterEnvironment(INHERIT.set(text("B"), text("2"))),
            new Instruction.FilterEnvironment(INHERIT.unset(text("A")).set(text("C"), text("3")))));
  }

  @Test
  void protectsAVariableByACopyAtTheEnd() throws Exception {
    assertEquals(
        texts("A=1", "PWD=/a", "PWDX=/c", "B=2", "PWD=/a"),
        after(texts("A=1", "PWD=/a", "PWDX=/c", "B=2"), new Instruction.ProtectVariable("PWD")));
    List<OsString> without = texts("A=1", "PWDX=/c");
    assertEquals(without, after(without, new Instruction.ProtectVariable("PWD")));
    assertEquals(List.of(), after(List.of(), new Instruction.ProtectVariable("PWD")));
  }

  @Test
  void restoresAVariableByRemovingTheFirst() throws Exception {
    assertEquals(
        texts("A=1", "B=2", "PWD=/a"),
        after(
            texts("A=1", "PWD=/changed", "B=2", "PWD=/a"), new Instruction.RestoreVariable("PWD")));
    assertEquals(
        texts("A=1", "B=2"),
        after(texts("A=1", "B=2", "PWD=/set"), new Instruction.RestoreVariable("PWD")));
    List<OsString> without = texts("A=1", "PWDX=/c");
    assertEquals(without, after(without, new Instruction.RestoreVariable("PWD")));
    assertEquals(List.of(), after(List.of(), new Instruction.RestoreVariable("PWD")));
  }

  @Test
  void protectAndRestoreLeaveNoTrace() throws Exception {
    for (List<OsString> caller : List.of(texts("A=1", "PWD=/a", "B=2"), texts("A=1"))) {
      List<OsString> ended =
          after(
              caller,
              new Instruction.FilterEnvironment(INHERIT.set(text("C"), text("3"))),
              new Instruction.ProtectVariable("PWD"));
      // What bubblewrap does with setenv(3).
      List<OsString> changed = new ArrayList<>(ended);
      int first = changed.indexOf(text("PWD=/a"));
      if (first < 0) {
        changed.add(text("PWD=/inside"));
      } else {
        changed.set(first, text("PWD=/inside"));
      }
      List<OsString> expected = new ArrayList<>(caller);
      expected.add(text("C=3"));
      List<OsString> restored = after(changed, new Instruction.RestoreVariable("PWD"));
      restored.sort(null);
      expected.sort(null);
      assertEquals(expected, restored);
    }
  }

  @Test
  void aBakedEnvironmentStandsForTheCallers() throws Exception {
    for (List<OsString> baked : List.of(texts("BAKED=1", "", "FOO=baked"), List.<OsString>of())) {
      Path launcher = Launcher.of(directory, Launcher.withEnvironment(baked), SHOW);
      Execution.Ended ended = Execution.of(launcher, "/dev/null").environment(CALLER).end();
      assertEquals(baked, ended.strings());
    }
  }

  @Test
  void aBakedEnvironmentIsFiltered() throws Exception {
    Path launcher =
        Launcher.of(
            directory,
            Launcher.withEnvironment(texts("A=1", "B=2")),
            new Instruction.FilterEnvironment(INHERIT.unset(text("A"))),
            SHOW);
    Execution.Ended ended = Execution.of(launcher, "/dev/null").environment(CALLER).end();
    assertEquals(texts("B=2"), ended.strings());
  }
}
