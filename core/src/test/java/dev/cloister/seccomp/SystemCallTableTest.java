package dev.cloister.seccomp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.fixture.Required;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every number of the table, against the C headers of both architectures, and the other way. */
class SystemCallTableTest {
  /**
   * Calls of kernels newer than the headers of Debian 12 (Linux 6.1). Their numbers are checked as
   * soon as there are headers that have them.
   */
  private static final Set<String> NEWER =
      Set.of(
          "cachestat",
          "fchmodat2",
          "file_getattr",
          "file_setattr",
          "futex_requeue",
          "futex_wait",
          "futex_wake",
          "getxattrat",
          "listmount",
          "listxattrat",
          "lsm_get_self_attr",
          "lsm_list_modules",
          "lsm_set_self_attr",
          "map_shadow_stack",
          "mseal",
          "open_tree_attr",
          "removexattrat",
          "setxattrat",
          "statmount",
          "uretprobe");

  private static final String MACRO = "#define __NR_";
  private static final String MARK = "number_of";

  private static String preprocess(Architecture architecture, String source, String... options)
      throws Exception {
    String compiler = architecture.name().toLowerCase(Locale.ROOT) + "-linux-gnu-gcc";
    List<String> command = new java.util.ArrayList<>();
    command.add(Required.program(compiler));
    command.addAll(List.of(options));
    command.addAll(List.of("-E", "-P", "-"));
    Process process = new ProcessBuilder(command).start();
    try (var input = process.getOutputStream()) {
      input.write(("#include <asm/unistd.h>\n" + source).getBytes(StandardCharsets.US_ASCII));
    }
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertEquals(0, process.waitFor(), compiler);
    return output;
  }

  /** What the headers call a system call, with the preprocessor's idea of its number. */
  private static Map<String, Integer> headers(Architecture architecture) throws Exception {
    StringBuilder source = new StringBuilder();
    for (String line : preprocess(architecture, "", "-dM").lines().toList()) {
      if (line.startsWith(MACRO)) {
        String name = line.substring(MACRO.length()).split(" ", 2)[0];
        // The end of the list, and the start of numbers for calls of a single architecture.
        if (!name.equals("syscalls") && !name.equals("arch_specific_syscall")) {
          source.append("%s %s __NR_%s%n".formatted(MARK, name, name));
        }
      }
    }
    Map<String, Integer> numbers = new TreeMap<>();
    for (String line : preprocess(architecture, source.toString()).lines().toList()) {
      if (line.startsWith(MARK)) {
        String[] words = line.split(" +", -1);
        numbers.put(words[1], Integer.valueOf(words[2]));
      }
    }
    assertTrue(numbers.size() > 300, () -> "hardly any headers: " + numbers);
    return numbers;
  }

  private static Map<String, Integer> table(Architecture architecture) {
    Map<String, Integer> numbers = new TreeMap<>();
    for (SystemCallTable.Row row : SystemCallTable.rows()) {
      row.number(architecture).ifPresent(number -> numbers.put(row.name(), number));
    }
    return numbers;
  }

  /**
   * All that the headers have is in the table, and nothing else but what is newer than they are.
   */
  @ParameterizedTest
  @EnumSource
  void agreesWithTheHeaders(Architecture architecture) throws Exception {
    Map<String, Integer> headers = headers(architecture);
    Map<String, Integer> expected = new TreeMap<>(headers);
    table(architecture)
        .forEach(
            (name, number) -> {
              if (NEWER.contains(name)) {
                expected.putIfAbsent(name, number);
              }
            });
    // Headers newer than the table have calls that the profile does not know, and need not.
    int last = table(architecture).values().stream().mapToInt(Integer::intValue).max().orElse(0);
    expected.values().removeIf(number -> number > last);
    assertEquals(expected, table(architecture));
  }

  @ParameterizedTest
  @EnumSource
  void noNumberIsTwice(Architecture architecture) {
    Map<String, Integer> table = table(architecture);
    assertEquals(table.size(), new HashSet<>(table.values()).size());
  }

  @Test
  void namesAreSorted() {
    List<String> names = SystemCallTable.rows().stream().map(SystemCallTable.Row::name).toList();
    assertEquals(List.copyOf(new TreeSet<>(names)), names);
  }
}
