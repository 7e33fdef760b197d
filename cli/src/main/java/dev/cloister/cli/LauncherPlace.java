package dev.cloister.cli;

import dev.cloister.launch.PrivateDirectory;
import dev.cloister.spec.OsString;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds a directory for launchers: private, writable, and where files may be executed. */
final class LauncherPlace {
  private LauncherPlace() {}

  static PrivateDirectory open(Invocation invocation, long uid) throws CliException {
    Map<String, String> variables = new HashMap<>();
    for (String name : List.of("XDG_RUNTIME_DIR", "TMPDIR")) {
      Optional<OsString> value = invocation.variable(name);
      Optional<Path> place = value.isPresent() ? value.get().toPath() : Optional.empty();
      if (place.isPresent()) {
        variables.put(name, place.get().toString());
      }
    }
    List<Path> places = PrivateDirectory.places(variables);
    Optional<PrivateDirectory> directory = PrivateDirectory.in(places, uid);
    if (directory.isPresent()) {
      return directory.get();
    }
    throw new CliException(
        "needs a directory for a launcher that is writable and allows execution; none of these is: "
            + places);
  }
}
