package dev.cloister.ffm;

import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The literals of the enums, against the bindings of both architectures. */
class EnumsTest {
  @ParameterizedTest
  @EnumSource
  void constants(Architecture architecture) throws Exception {
    for (LinuxConstant constant : LinuxConstant.values()) {
      assertSame(bindings(architecture, constant), constant.name(), constant.value(architecture));
    }
  }

  private static Bindings bindings(Architecture architecture, LinuxConstant constant) {
    return constant == LinuxConstant.SA_RESTORER
        ? Bindings.kernelSignal(architecture)
        : Bindings.linux(architecture);
  }

  @ParameterizedTest
  @EnumSource
  void systemCalls(Architecture architecture) throws Exception {
    for (SystemCall call : SystemCall.values()) {
      String name = "SYS_" + call.cName();
      assertSame(Bindings.linux(architecture), name, call.number(architecture));
    }
  }

  @ParameterizedTest
  @EnumSource
  void errorNumbers(Architecture architecture) throws Exception {
    Bindings bindings = Bindings.linux(architecture);
    for (Errno errno : Errno.values()) {
      assertSame(bindings, errno.name(), errno.number());
    }
    assertSame(bindings, "EWOULDBLOCK", Errno.EWOULDBLOCK.number());
    assertSame(bindings, "EDEADLOCK", Errno.EDEADLOCK.number());
    assertSame(bindings, "ENOTSUP", Errno.ENOTSUP.number());
  }

  /** jextract makes an unsigned int a Java int; {@link HeadersTest} knows which ones C means. */
  private static void assertSame(Bindings bindings, String name, long literal)
      throws ReflectiveOperationException {
    Number generated = bindings.constant(name);
    long expected = generated instanceof Integer ? (int) literal : literal;
    assertEquals(generated.longValue(), expected, name);
  }

  @ParameterizedTest
  @EnumSource
  void structures(Architecture architecture) throws Exception {
    for (LinuxStruct struct : LinuxStruct.values()) {
      GroupLayout layout = layout(architecture, struct);
      assertEquals(layout.byteSize(), struct.size(), struct.cName());
      assertEquals(layout.byteAlignment(), struct.alignment(), struct.cName());
    }
  }

  @ParameterizedTest
  @EnumSource
  void structureFields(Architecture architecture) throws Exception {
    Set<StructField> macros = EnumSet.noneOf(StructField.class);
    for (StructField field : StructField.values()) {
      GroupLayout layout = layout(architecture, field.struct());
      Optional<MemoryLayout> member =
          layout.memberLayouts().stream()
              .filter(candidate -> candidate.name().equals(Optional.of(field.cName())))
              .findAny();
      if (member.isEmpty()) {
        macros.add(field);
        continue;
      }
      long offset = layout.byteOffset(PathElement.groupElement(field.cName()));
      assertEquals(offset, field.offset(), field.name());
      assertEquals(member.get().byteSize(), field.size(), field.name());
    }
    // In C these are macros for members of unions, or members of unions without a name; HeadersTest
    // has them.
    assertEquals(
        EnumSet.of(
            StructField.SIGINFO_PID,
            StructField.SIGINFO_UID,
            StructField.SIGINFO_STATUS,
            StructField.RUSAGE_MAXRSS,
            StructField.RUSAGE_MINFLT,
            StructField.RUSAGE_MAJFLT,
            StructField.RUSAGE_INBLOCK,
            StructField.RUSAGE_OUBLOCK,
            StructField.RUSAGE_NVCSW,
            StructField.RUSAGE_NIVCSW,
            StructField.IFREQ_NAME,
            StructField.IFREQ_FLAGS),
        macros);
  }

  private static GroupLayout layout(Architecture architecture, LinuxStruct struct)
      throws ReflectiveOperationException {
    Bindings bindings =
        struct == LinuxStruct.KERNEL_SIGACTION
            ? Bindings.kernelSignal(architecture)
            : Bindings.linux(architecture);
    String name = struct.cName().replace("struct ", "");
    return (GroupLayout) bindings.layout(new Symbol("struct", name));
  }

  @Test
  void everySymbolHasAConstant() throws Exception {
    assertEquals(
        constantsIn("constants.symbols", "kernel-signal.symbols"), names(LinuxConstant.values()));
    assertEquals(
        constantsIn("system-calls.symbols"),
        Stream.of(SystemCall.values()).map(call -> "SYS_" + call.cName()).collect(toSet()));
    Set<String> errnos = new HashSet<>(names(Errno.values()));
    errnos.addAll(Set.of("EWOULDBLOCK", "EDEADLOCK", "ENOTSUP"));
    assertEquals(constantsIn("errno.symbols"), errnos);
  }

  private static Set<String> constantsIn(String... files) throws Exception {
    return Symbol.in(files).stream().filter(Symbol::isConstant).map(Symbol::name).collect(toSet());
  }

  private static Set<String> names(Enum<?>[] constants) {
    return Stream.of(constants).map(Enum::name).collect(toSet());
  }
}
