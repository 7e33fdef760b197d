package dev.cloister.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * A host that differs from this one, and how to get there: programs that change what they start.
 *
 * @param prepare words that need the rights of the user who runs the tests; often none
 * @param groups the caller's supplementary groups; often none
 * @param enter words that come after becoming the calling user
 * @param start how the script is started there
 */
record SimulatedHost(
    String name, List<String> prepare, String groups, List<String> enter, List<String> start) {
  /** A home that is not there cannot be shown to be hidden. */
  private static final String SEES_HOME = "[ -d \"$HOME\" ] && exec \"$@\"";

  SimulatedHost {
    prepare = List.copyOf(prepare);
    enter = List.copyOf(enter);
    start = List.copyOf(start);
  }

  /** This host, by another name. */
  static SimulatedHost named(String name) {
    return new SimulatedHost(
        name, List.of(), "", List.of(), List.of(Installation.SCRIPT.toString()));
  }

  /** Changed by root, in namespaces of its own; {@code script} ends with the words that follow. */
  SimulatedHost preparedBy(List<String> namespaces, String script) {
    List<String> words = new ArrayList<>(namespaces);
    words.addAll(shell(script + " && exec \"$@\""));
    return new SimulatedHost(name, words, groups, enter, start);
  }

  /** Changed by the caller. */
  SimulatedHost enteredBy(String... words) {
    return enteredBy(List.of(words));
  }

  SimulatedHost enteredBy(List<String> words) {
    List<String> all = new ArrayList<>(enter);
    all.addAll(words);
    return new SimulatedHost(name, prepare, groups, all, start);
  }

  /** Where the script lies elsewhere, or cannot be executed. */
  SimulatedHost startedBy(String... words) {
    return new SimulatedHost(name, prepare, groups, enter, List.of(words));
  }

  /** Where the caller is in more groups than one. */
  SimulatedHost withGroups(String list) {
    return new SimulatedHost(name, prepare, list, enter, start);
  }

  private List<String> become(CallingUser user) {
    List<String> words = new ArrayList<>(user.become());
    if (!groups.isEmpty()) {
      words.replaceAll(word -> word.equals("--clear-groups") ? "--groups=" + groups : word);
    }
    return words;
  }

  boolean needsRoot() {
    return !prepare.isEmpty();
  }

  /** A shell that reads {@code script}, with the words that follow as its arguments. */
  static List<String> shell(String script) {
    return List.of("/bin/sh", "-c", script, "sh");
  }

  /** The real command line as {@code user} of this host. */
  Call cloister(CallingUser user, String... arguments) {
    List<String> words = new ArrayList<>(start);
    words.addAll(List.of(arguments));
    return call(user, words.toArray(String[]::new));
  }

  /** Any command as {@code user} of this host. */
  Call call(CallingUser user, String... command) {
    List<String> words = new ArrayList<>(prepare);
    words.addAll(become(user));
    words.addAll(enter);
    words.addAll(shell(SEES_HOME));
    words.addAll(List.of(command));
    return CallingUser.own()
        .call(words.toArray(String[]::new))
        .env("HOME", user.home().toString())
        .env("TMPDIR", user.temporary().toString())
        .in(user.home());
  }

  @Override
  public String toString() {
    return name;
  }
}
