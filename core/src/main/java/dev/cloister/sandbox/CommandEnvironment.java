package dev.cloister.sandbox;

import dev.cloister.spec.OsString;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A command's variables as text, which refuses what no variable can be. */
final class CommandEnvironment extends AbstractMap<String, String> {
  private final Map<String, String> variables = new LinkedHashMap<>();

  /** Starts with these, as far as they are of the form {@code NAME=value}. */
  CommandEnvironment(List<OsString> initial) {
    for (OsString variable : initial) {
      String text = variable.toString();
      int equals = text.indexOf('=');
      if (equals > 0) {
        variables.put(text.substring(0, equals), text.substring(equals + 1));
      }
    }
  }

  @Override
  public @Nullable String put(String name, String value) {
    check(name, value);
    return variables.put(name, value);
  }

  // As in ProcessBuilder's, nobody finds what cannot be there.

  @Override
  public @Nullable String get(Object name) {
    return variables.get(Objects.requireNonNull(name));
  }

  @Override
  public boolean containsKey(Object name) {
    return variables.containsKey(Objects.requireNonNull(name));
  }

  @Override
  public boolean containsValue(Object value) {
    return variables.containsValue(Objects.requireNonNull(value));
  }

  @Override
  public @Nullable String remove(Object name) {
    return variables.remove(Objects.requireNonNull(name));
  }

  private static void check(String name, String value) {
    Objects.requireNonNull(name);
    Objects.requireNonNull(value);
    if (name.indexOf('=') >= 0 || name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("Invalid environment variable name: \"" + name + "\"");
    }
    if (value.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("Invalid environment variable value: \"" + value + "\"");
    }
  }

  @Override
  public Set<Map.Entry<String, String>> entrySet() {
    return variables.entrySet();
  }

  /**
   * As execve(2) takes them; checked again, as an entry's value can be set without {@link #put}.
   */
  List<OsString> toList() {
    List<OsString> list = new ArrayList<>();
    variables.forEach(
        (name, value) -> {
          check(name, value);
          list.add(OsString.of(name + "=" + value));
        });
    return list;
  }
}
