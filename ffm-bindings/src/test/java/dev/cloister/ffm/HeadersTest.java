package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.PaddingLayout;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every number that is committed, against the C headers of both architectures. */
class HeadersTest {
  private static final String LINUX = "linux.h";
  private static final String KERNEL_SIGNAL = "kernel-signal.h";

  @ParameterizedTest
  @EnumSource
  void theBindingsAgreeWithTheHeaders(Architecture architecture) throws Exception {
    CHeaders headers = CHeaders.of(architecture, LINUX);
    List<Symbol> symbols =
        Symbol.in("constants.symbols", "system-calls.symbols", "errno.symbols", "structs.symbols");
    claim(headers, Bindings.linux(architecture), symbols);
    claim(headers, Bindings.libc(), Symbol.in("libc.symbols"));
    assertEquals("", headers.errors());
  }

  @ParameterizedTest
  @EnumSource
  void theKernelsSigactionAgreesWithItsHeader(Architecture architecture) throws Exception {
    CHeaders headers = CHeaders.of(architecture, KERNEL_SIGNAL);
    claim(headers, Bindings.kernelSignal(architecture), Symbol.in("kernel-signal.symbols"));
    claim(headers, LinuxStruct.KERNEL_SIGACTION);
    assertEquals("", headers.errors());
  }

  @ParameterizedTest
  @EnumSource
  void theEnumsAgreeWithTheHeaders(Architecture architecture) throws Exception {
    CHeaders headers = CHeaders.of(architecture, LINUX);
    for (LinuxConstant constant : LinuxConstant.values()) {
      if (constant != LinuxConstant.SA_RESTORER) {
        headers.claimValue("long long", constant.name(), constant.value(architecture));
      }
    }
    for (SystemCall call : SystemCall.values()) {
      headers.claimValue("long long", "SYS_" + call.cName(), call.number(architecture));
    }
    for (Errno errno : Errno.values()) {
      headers.claimValue("long long", errno.name(), errno.number());
    }
    for (LinuxStruct struct : LinuxStruct.values()) {
      if (struct != LinuxStruct.KERNEL_SIGACTION) {
        claim(headers, struct);
      }
    }
    assertEquals("", headers.errors());
  }

  /** Guards this test itself: a compiler that accepts everything would prove nothing. */
  @ParameterizedTest
  @EnumSource
  void aSingleWrongNumberIsNoticed(Architecture architecture) throws Exception {
    CHeaders headers = CHeaders.of(architecture, LINUX);
    headers.claimValue("long long", "MS_NOSUID", 2);
    headers.claimValue("long long", "MS_NODEV", 5);
    String errors = headers.errors();
    assertTrue(errors.contains("MS_NODEV"), errors);
    assertTrue(!errors.contains("MS_NOSUID"), errors);
  }

  private static void claim(CHeaders headers, Bindings bindings, List<Symbol> symbols)
      throws ReflectiveOperationException {
    for (Symbol symbol : symbols) {
      if (symbol.isConstant()) {
        Number value = bindings.constant(symbol.name());
        String type = value instanceof Integer ? "int" : "long";
        headers.claimValue(type, symbol.name(), value.longValue());
      } else if (symbol.isType()) {
        claim(headers, symbol.cType(), bindings.layout(symbol));
      }
    }
  }

  private static void claim(CHeaders headers, String type, MemoryLayout layout) {
    headers.claimValue("long", "sizeof(%s)".formatted(type), layout.byteSize());
    headers.claimValue("long", "_Alignof(%s)".formatted(type), layout.byteAlignment());
    if (layout instanceof GroupLayout group) {
      claimMembers(headers, type, "", 0, group);
    }
  }

  private static void claimMembers(
      CHeaders headers, String type, String prefix, long start, GroupLayout group) {
    for (MemoryLayout member : group.memberLayouts()) {
      if (member instanceof PaddingLayout) {
        continue;
      }
      String name = member.name().orElseThrow();
      long offset = start + group.byteOffset(MemoryLayout.PathElement.groupElement(name));
      if (name.startsWith("$anon") && member instanceof GroupLayout unnamed) {
        claimMembers(headers, type, prefix, offset, unnamed);
        continue;
      }
      String path = prefix + name;
      headers.undefine(name);
      claimField(headers, type, path, offset, member.byteSize());
      // Of the member, not of its type: some structures are packed. The bindings say so of the
      // parts of such a member too, C does not.
      if (prefix.isEmpty() || member.byteAlignment() > 1) {
        String alignment = "__alignof__(((%s *)0)->%s)".formatted(type, path);
        headers.claimValue("long", alignment, member.byteAlignment());
      }
      if (member instanceof GroupLayout nested) {
        claimMembers(headers, type, path + ".", offset, nested);
      }
    }
  }

  private static void claim(CHeaders headers, LinuxStruct struct) {
    String type = struct.cName();
    headers.claimValue("long", "sizeof(%s)".formatted(type), struct.size());
    headers.claimValue("long", "_Alignof(%s)".formatted(type), struct.alignment());
    for (StructField field : StructField.values()) {
      if (field.struct() == struct) {
        claimField(headers, type, field.cName(), field.offset(), field.size());
      }
    }
  }

  private static void claimField(
      CHeaders headers, String type, String field, long offset, long size) {
    headers.claimValue("long", "offsetof(%s, %s)".formatted(type, field), offset);
    if (size > 0) {
      // A flexible array at the end has no size in C.
      headers.claimValue("long", "sizeof(((%s *)0)->%s)".formatted(type, field), size);
    }
  }
}
