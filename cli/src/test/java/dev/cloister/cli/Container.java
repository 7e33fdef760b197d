package dev.cloister.cli;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.cloister.fixture.Required;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;

/**
 * A container of runc's, with this machine's programs and Cloister in it. It starts as runc itself
 * proposes it ({@code runc spec}); the rest is what container engines make of that.
 *
 * @param engine who runs runc: anybody but root makes a rootless container
 * @param configuration of the OCI runtime specification
 */
record Container(CallingUser engine, JsonObject configuration) {
  /** What Docker and Podman leave to the root of a container, if they are not told otherwise. */
  static final List<String> ENGINE_CAPABILITIES =
      List.of(
          "CAP_CHOWN",
          "CAP_DAC_OVERRIDE",
          "CAP_FOWNER",
          "CAP_FSETID",
          "CAP_KILL",
          "CAP_NET_BIND_SERVICE",
          "CAP_SETFCAP",
          "CAP_SETGID",
          "CAP_SETPCAP",
          "CAP_SETUID",
          "CAP_SYS_CHROOT");

  /** Docker's default profile refuses these to whoever lacks CAP_SYS_ADMIN. */
  private static final List<String> FILTERED =
      List.of(
          "fsconfig",
          "fsmount",
          "fsopen",
          "mount",
          "mount_setattr",
          "move_mount",
          "open_tree",
          "pivot_root",
          "setns",
          "umount2",
          "unshare");

  /** CLONE_NEWTIME is none of clone(2)'s flags: there, that bit belongs to the signal. */
  private static final int[] NAMESPACE_FLAGS = {
    0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
  };

  private static final int EPERM = 1;
  private static final int ENOSYS = 38;

  /** The container that runc proposes to {@code engine}. */
  static Container of(CallingUser engine) {
    Path bundle = engine.work();
    Call spec = engine.call(Required.program("runc"), "spec", "--bundle", bundle.toString());
    (engine.isRoot() ? spec : spec.and("--rootless")).run().exits(0);
    try {
      String text = Files.readString(bundle.resolve("config.json"));
      return new Container(engine, new Gson().fromJson(text, JsonObject.class)).withMounts();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** With a process of this id. */
  Container as(long uid) {
    Container copy = copy();
    JsonObject user = copy.process().getAsJsonObject("user");
    user.addProperty("uid", uid);
    user.addProperty("gid", uid);
    return copy;
  }

  /** With many ids of its own, of which root is none on the host: as rootless engines map them. */
  Container mapped() {
    Container copy = copy();
    JsonObject range = new JsonObject();
    range.addProperty("containerID", 0);
    range.addProperty("hostID", 100_000);
    range.addProperty("size", 65_536);
    JsonObject linux = copy.configuration.getAsJsonObject("linux");
    for (String map : List.of("uidMappings", "gidMappings")) {
      linux.add(map, new JsonArray());
      linux.getAsJsonArray(map).add(range);
    }
    JsonObject namespace = new JsonObject();
    namespace.addProperty("type", "user");
    linux.getAsJsonArray("namespaces").add(namespace);
    return copy;
  }

  Container withCapabilities(List<String> capabilities) {
    Container copy = copy();
    JsonArray names = new JsonArray();
    capabilities.forEach(names::add);
    JsonObject sets = new JsonObject();
    for (String set : List.of("bounding", "effective", "permitted")) {
      sets.add(set, names);
    }
    copy.process().add("capabilities", sets);
    return copy;
  }

  /** With what the filters of container engines do to those who make sandboxes. */
  Container filtered() {
    Container copy = copy();
    JsonArray rules = new JsonArray();
    rules.add(rule(FILTERED, EPERM));
    for (int flag : NAMESPACE_FLAGS) {
      JsonObject argument = new JsonObject();
      argument.addProperty("index", 0);
      argument.addProperty("value", flag);
      argument.addProperty("valueTwo", flag);
      argument.addProperty("op", "SCMP_CMP_MASKED_EQ");
      JsonObject rule = rule(List.of("clone"), EPERM);
      rule.add("args", new JsonArray());
      rule.getAsJsonArray("args").add(argument);
      rules.add(rule);
    }
    // A filter cannot look at its flags; libc then takes clone.
    rules.add(rule(List.of("clone3"), ENOSYS));
    JsonObject filter = new JsonObject();
    filter.addProperty("defaultAction", "SCMP_ACT_ALLOW");
    filter.add("syscalls", rules);
    copy.configuration.getAsJsonObject("linux").add("seccomp", filter);
    return copy;
  }

  private static JsonObject rule(List<String> calls, int errno) {
    JsonArray names = new JsonArray();
    calls.forEach(names::add);
    JsonObject rule = new JsonObject();
    rule.add("names", names);
    rule.addProperty("action", "SCMP_ACT_ERRNO");
    rule.addProperty("errnoRet", errno);
    return rule;
  }

  private Container withMounts() {
    Container copy = copy();
    JsonArray mounts = copy.configuration.getAsJsonArray("mounts");
    mounts.add(mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev"));
    for (Path path :
        List.of(
            Path.of("/usr"),
            Path.of("/etc"),
            Path.of(System.getProperty("java.home")),
            Installation.HOME)) {
      mounts.add(mount(path.toString(), "bind", path.toString(), "rbind", "ro"));
    }
    return copy;
  }

  private static JsonObject mount(String place, String type, String source, String... options) {
    JsonObject mount = new JsonObject();
    mount.addProperty("destination", place);
    mount.addProperty("type", type);
    mount.addProperty("source", source);
    JsonArray list = new JsonArray();
    Arrays.stream(options).forEach(list::add);
    mount.add("options", list);
    return mount;
  }

  /** Has the real command line run in a new container. */
  Ran cloister(String... arguments) {
    JsonArray words = new JsonArray();
    words.add(Installation.SCRIPT.toString());
    Arrays.stream(arguments).forEach(words::add);
    JsonArray environment = new JsonArray();
    for (String variable :
        List.of(
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/tmp",
            "JAVA_HOME=" + System.getProperty("java.home"))) {
      environment.add(variable);
    }
    Container copy = copy();
    copy.process().addProperty("terminal", false);
    copy.process().add("args", words);
    copy.process().add("env", environment);
    try {
      Path bundle = engine.work();
      copy.makeRoot(bundle);
      engine.write(bundle, "config.json", copy.configuration.toString());
      Path state = engine.give(Files.createDirectory(bundle.resolve("state")));
      return engine
          .call(Required.program("runc"), "--root", state.toString(), "run", "--bundle")
          // The name is that of a cgroup too, where runc may make any.
          .and(bundle.toString(), "cloister-" + bundle.getFileName())
          .env("XDG_RUNTIME_DIR", state.toString())
          .run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where runc mounts; others than its user pass through to it. */
  private void makeRoot(Path bundle) throws IOException {
    Path root = engine.give(Files.createDirectory(bundle.resolve("rootfs")));
    for (String name : List.of("dev", "etc", "proc", "sys", "usr", "tmp")) {
      engine.give(Files.createDirectory(root.resolve(name)));
    }
    // What is mounted there gets the mode of what it covers.
    Files.setPosixFilePermissions(
        root.resolve("tmp"), PosixFilePermissions.fromString("rwxrwxrwx"));
    for (String name : List.of("bin", "lib", "lib64", "sbin")) {
      Files.createSymbolicLink(root.resolve(name), Path.of("usr", name));
    }
  }

  private Container copy() {
    return new Container(engine, configuration.deepCopy());
  }

  private JsonObject process() {
    JsonElement process = configuration.get("process");
    return process.getAsJsonObject();
  }

  /** Who Cloister is in the container, for a person. */
  String user() {
    long uid = process().getAsJsonObject("user").get("uid").getAsLong();
    return new CallingUser(uid, false) + " of " + engine + "'s";
  }
}
