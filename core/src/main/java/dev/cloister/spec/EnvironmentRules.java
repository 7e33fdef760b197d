package dev.cloister.spec;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What becomes of the caller's environment, folded from an ordered list of changes.
 *
 * @param inherit whether variables that no rule names are passed on
 * @param rules one per variable, in the order they were given
 */
public record EnvironmentRules(boolean inherit, Map<OsString, Rule> rules) {
  /** The caller's environment, unchanged. */
  public static final EnvironmentRules INHERIT = new EnvironmentRules(true, Map.of());

  /** What happens to one variable. */
  public sealed interface Rule {
    record Set(OsString value) implements Rule {}

    record Unset() implements Rule {}

    /** Passed on although the others are not. */
    record Keep() implements Rule {}

    /** Set to the directory in which the command starts, once that is known. */
    record Directory() implements Rule {}
  }

  public EnvironmentRules {
    rules = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(rules));
  }

  /** Forgets the environment and all {@code Set} and {@code Unset} so far: {@code --clearenv}. */
  public EnvironmentRules clear() {
    Map<OsString, Rule> kept = new LinkedHashMap<>(rules);
    kept.values().removeIf(rule -> !(rule instanceof Rule.Keep));
    return new EnvironmentRules(false, kept);
  }

  public EnvironmentRules set(OsString name, OsString value) {
    return with(name, new Rule.Set(value));
  }

  public EnvironmentRules unset(OsString name) {
    return with(name, new Rule.Unset());
  }

  public EnvironmentRules keep(OsString name) {
    return with(name, new Rule.Keep());
  }

  /** Sets a variable to the directory in which the command starts. */
  public EnvironmentRules setToDirectory(OsString name) {
    return with(name, new Rule.Directory());
  }

  /** Those variables. */
  public List<OsString> directories() {
    List<OsString> names = new ArrayList<>();
    for (Map.Entry<OsString, Rule> rule : rules.entrySet()) {
      if (rule.getValue() instanceof Rule.Directory) {
        names.add(rule.getKey());
      }
    }
    return names;
  }

  private EnvironmentRules with(OsString name, Rule rule) {
    Map<OsString, Rule> changed = new LinkedHashMap<>(rules);
    // Last in order as well as in effect, as a shell's export would be.
    changed.remove(name);
    changed.put(name, rule);
    return new EnvironmentRules(inherit, changed);
  }

  /** Whether the environment passes through untouched. */
  public boolean isTrivial() {
    for (Rule rule : rules.values()) {
      if (!(rule instanceof Rule.Keep)) {
        return false;
      }
    }
    return inherit;
  }

  /** Whether a variable of this name in the caller's environment is passed on. */
  public boolean passes(OsString name) {
    Rule rule = rules.get(name);
    return rule == null ? inherit : rule instanceof Rule.Keep;
  }

  /** The {@code NAME=VALUE} strings that are added, in order. */
  public List<OsString> additions() {
    List<OsString> additions = new ArrayList<>();
    rules.forEach(
        (name, rule) -> {
          if (rule instanceof Rule.Set set) {
            additions.add(name.concat(EQUALS).concat(set.value()));
          }
        });
    return additions;
  }

  /** What these make of a caller's variables, each {@code NAME=value}. */
  public List<OsString> applyTo(List<OsString> variables) {
    List<OsString> result = new ArrayList<>();
    for (OsString variable : variables) {
      int equals = variable.indexOf('=');
      if (equals < 0 ? inherit : passes(variable.substring(0, equals))) {
        result.add(variable);
      }
    }
    result.addAll(additions());
    return result;
  }

  private static final OsString EQUALS = OsString.of("=");
}
