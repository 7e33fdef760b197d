package dev.cloister.strategies;

import dev.cloister.fixture.Required;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.host.Preset;
import dev.cloister.spec.MountOperation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Who starts a sandbox. */
enum User {
  /** Whoever runs the tests. */
  CURRENT {
    @Override
    Caller caller() throws IOException {
      return Caller.current();
    }

    @Override
    List<String> become() {
      return List.of();
    }
  },

  /** One without any right. Only root can become it. */
  NOBODY {
    @Override
    Caller caller() throws IOException {
      Caller current = Caller.current();
      return new Caller(
          ID,
          ID,
          false,
          List.of(),
          current.setgroups(),
          0,
          current.noNewPrivs(),
          current.seccomp());
    }

    @Override
    List<String> become() {
      String id = Long.toString(ID);
      return List.of(
          Required.program("setpriv"), "--reuid", id, "--regid", id, "--clear-groups", "--");
    }
  };

  static final long ID = 65534;

  static Stream<User> all() throws IOException {
    return isRoot() ? Stream.of(CURRENT, NOBODY) : Stream.of(CURRENT);
  }

  static boolean isRoot() throws IOException {
    return Caller.current().uid() == 0;
  }

  abstract Caller caller() throws IOException;

  /** What to put before a command that this user shall run. */
  abstract List<String> become();

  HostReport host() throws IOException {
    return HostReport.of(caller(), "/usr/bin:/bin");
  }

  /** The host's programs, and little else. */
  List<MountOperation> programs() throws Exception {
    return Preset.HOST.mounts(caller().uid() == 0);
  }

  /** The same for a strategy that makes no mounts. */
  List<MountOperation> programsInPlace() throws Exception {
    return Preset.HOST.mountsInPlace(caller().uid() == 0);
  }

  /** Gives away a file of the tests. */
  Path own(Path file) throws IOException {
    if (this == NOBODY) {
      Files.setAttribute(file, "unix:uid", (int) ID);
      Files.setAttribute(file, "unix:gid", (int) ID);
    }
    return file;
  }
}
