package dev.cloister.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.fixture.Required;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ErrnoTest {
  /** strerrordesc_np(3) is strerror(3) without the translation into the user's language. */
  @Test
  void theTextsAreThoseOfTheHostsStrerror() throws Throwable {
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> function = linker.defaultLookup().find("strerrordesc_np");
    Required.that(function.isPresent(), "glibc 2.32 or newer");
    MethodHandle strerror =
        linker.downcallHandle(function.orElseThrow(), FunctionDescriptor.of(ADDRESS, JAVA_INT));
    for (Errno errno : Errno.values()) {
      MemorySegment text = (MemorySegment) strerror.invokeExact(errno.number());
      String expected = text.reinterpret(Long.MAX_VALUE).getString(0);
      assertEquals(expected, errno.text(), errno.name());
    }
  }

  @Test
  void isFoundByItsNumber() {
    for (Errno errno : Errno.values()) {
      assertEquals(Optional.of(errno), Errno.of(errno.number()));
    }
    assertEquals(Optional.empty(), Errno.of(0));
    assertEquals(Optional.empty(), Errno.of(41));
  }
}
