package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.cloister.spec.OsString;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModifiersTest {
  private final Modifiers modifiers = new Modifiers();

  private void perms(String value) throws CliException {
    modifiers.perms(RunOption.PERMS, OsString.of(value));
  }

  private void size(String value) throws CliException {
    modifiers.size(RunOption.SIZE, OsString.of(value));
  }

  @ParameterizedTest
  @CsvSource({"0,0", "7777,4095", "0755,493", "00000000644,420"})
  void readsPermissions(String text, int mode) throws CliException {
    perms(text);
    assertEquals(OptionalInt.of(mode), modifiers.takePerms());
    assertEquals(OptionalInt.empty(), modifiers.takePerms());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "8", "10000", "-1", "+1", " 1", "1 ", "0x1", "0o1", "u+x"})
  void refusesOtherPermissions(String text) {
    assertThrows(CliException.class, () -> perms(text));
  }

  @ParameterizedTest
  @CsvSource({
    "1,1",
    "1048576,1048576",
    "0x10,16",
    "0XfF,255",
    "010,8",
    "9223372036854775807,9223372036854775807",
    "0x7fffffffffffffff,9223372036854775807"
  })
  void readsSizes(String text, long size) throws CliException {
    size(text);
    assertEquals(OptionalLong.of(size), modifiers.takeSize());
    assertEquals(OptionalLong.empty(), modifiers.takeSize());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0",
        "000",
        "0x",
        "0x0",
        "08",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1k",
        "1.0",
        "\u0661",
        "9223372036854775808",
        "18446744073709551616",
        "0x8000000000000000"
      })
  void refusesOtherSizes(String text) {
    assertThrows(CliException.class, () -> size(text));
  }

  @Test
  void standBeforeWhatTakesThem() throws CliException {
    perms("0700");
    modifiers.requireTakenBy(RunOption.PERMS);
    size("1");
    modifiers.requireTakenBy(RunOption.SIZE);
    assertThrows(CliException.class, () -> modifiers.requireTakenBy(RunOption.DIR));
    assertThrows(CliException.class, modifiers::requireTaken);
    assertThrows(CliException.class, () -> perms("0700"));
    assertThrows(CliException.class, () -> size("1"));
    modifiers.takePerms();
    assertThrows(CliException.class, () -> modifiers.requireTakenBy(RunOption.DIR));
    modifiers.takeSize();
    modifiers.requireTakenBy(RunOption.TMPFS);
    modifiers.requireTaken();
  }
}
