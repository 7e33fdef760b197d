package dev.cloister.examples.judge;

import dev.cloister.fixture.Required;
import java.util.List;
import java.util.stream.Stream;

/** Who judges. */
enum User {
  /** Whoever runs the tests. */
  CURRENT,

  /** One without any right. Only root can become it. */
  NOBODY;

  static Stream<User> all() {
    boolean isRoot = System.getProperty("user.name").equals("root");
    return isRoot ? Stream.of(values()) : Stream.of(CURRENT);
  }

  /** What to put before a command that this user shall run. */
  List<String> become() {
    return switch (this) {
      case CURRENT -> List.of();
      case NOBODY ->
          List.of(
              Required.program("setpriv"),
              "--reuid",
              "65534",
              "--regid",
              "65534",
              "--clear-groups",
              "--");
    };
  }
}
