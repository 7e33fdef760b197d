package dev.cloister.ffm;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * A package of the bindings that jextract generated.
 *
 * @param packageName below {@code generated}
 * @param headerClass the class with the constants
 */
record Bindings(String packageName, String headerClass) {
  static Bindings linux(Architecture architecture) {
    return new Bindings(architecture.name().toLowerCase(Locale.ROOT), "Linux");
  }

  static Bindings kernelSignal(Architecture architecture) {
    return new Bindings(linux(architecture).packageName() + ".kernel", "KernelSignal");
  }

  static Bindings libc() {
    return new Bindings("libc", "Libc");
  }

  private Class<?> load(String simpleName) throws ClassNotFoundException {
    return Class.forName("dev.cloister.ffm.generated." + packageName + "." + simpleName);
  }

  /** An {@code Integer}, a {@code Long} or, for a pointer, its address as a {@code Long}. */
  Number constant(String name) throws ReflectiveOperationException {
    Object value = load(headerClass).getMethod(name).invoke(null);
    return value instanceof MemorySegment pointer ? (Number) pointer.address() : (Number) value;
  }

  /** The layout of a type; a typedef of a number has no class of its own. */
  MemoryLayout layout(Symbol type) throws ReflectiveOperationException {
    Class<?> declaring;
    try {
      declaring = load(type.name());
    } catch (ClassNotFoundException e) {
      return (MemoryLayout) load(headerClass).getField(type.name()).get(null);
    }
    return (MemoryLayout) declaring.getMethod("layout").invoke(null);
  }
}
