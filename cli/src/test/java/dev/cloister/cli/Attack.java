package dev.cloister.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * One attempt of a command at something that its sandbox should not allow, and a control: how the
 * same attempt works where what should stop it is missing. A test that only ever sees it fail could
 * not tell whose merit that is. Words in braces are those of a {@link Scene}.
 *
 * @param who who can be the caller for this to mean something
 * @param before a shell script that prepares the host, as the user who runs the tests
 * @param around what is started around Cloister
 * @param options those of {@code run}
 * @param payload the attempt
 * @param mayRefuse whether no sandbox at all is as good
 */
record Attack(
    String name,
    Promise promise,
    Who who,
    String before,
    List<String> around,
    List<String> options,
    List<String> payload,
    boolean mayRefuse,
    Control control) {

  /** Those who call. */
  enum Who {
    EVERYONE,
    /** Only root could do it outside; or only it has the defence. */
    ROOT,
    /** For root there is nothing to gain. */
    OTHERS
  }

  /** Where an attempt works. */
  sealed interface Control {
    /** Where the same words follow these. */
    record Behind(List<String> words) implements Control {}

    /** In a sandbox with these options instead. */
    record Sandboxed(List<String> options) implements Control {}

    /** By these words instead, which do what a sandbox that is made carelessly does. */
    record Instead(List<String> words) implements Control {}
  }

  private static final String BASE = "--preset host --ro-bind {tools} {tools} ";

  /** A caller that is not in the sandbox, as a descendant of a shell is, say. */
  private static final String PARENT = "{program} parent --";

  /**
   * The script that Cloister reproduces: everything bound below a tmpfs, and a chroot. Its root
   * keeps every capability.
   */
  private static final String ORIGIN =
      """
      mount -t tmpfs none {place} && cd {place} || exit
      for each in usr lib lib64 bin etc dev proc; do
        [ -e /$each ] && mkdir $each && mount --rbind /$each $each || exit
      done
      mkdir -p -m 1777 tmp .{here} .{tools} oldroot
      mount --rbind {here} .{here} && mount --rbind {tools} .{tools} || exit
      [ -z "$OLDROOT" ] || mount --rbind / oldroot
      exec chroot . "$@"
      """;

  private static List<String> split(String words) {
    return words.isBlank() ? List.of() : List.of(words.strip().split(" +"));
  }

  private static List<String> join(List<String> some, String... more) {
    return Stream.concat(some.stream(), Arrays.stream(more)).toList();
  }

  private static Control plainly() {
    return new Control.Behind(List.of());
  }

  private static Control inTheOrigin() {
    return inMounts(ORIGIN);
  }

  /** As the root of new namespaces, or really root, in a mount namespace of its own. */
  private static Control inMounts(String script) {
    return new Control.Behind(List.of("{unshare}", "sh", "-c", script, "sh"));
  }

  private static Control sandboxed(String options) {
    return new Control.Sandboxed(split(BASE + options));
  }

  private static Control byShell(String script) {
    return new Control.Instead(List.of("sh", "-c", script));
  }

  /** Makes it as a sandbox would that follows links inside its new root with the old one there. */
  private static Control bySetUp(String script) {
    return new Control.Instead(
        List.of(
            "{unshare}", "env", "OLDROOT=1", "sh", "-c", ORIGIN, "sh", "/bin/sh", "-c", script));
  }

  private static Attack attack(String name, Promise promise, String payload, Control control) {
    return new Attack(
        name,
        promise,
        Who.EVERYONE,
        "",
        List.of(),
        split(BASE),
        join(List.of("{attack}"), split(payload).toArray(String[]::new)),
        false,
        control);
  }

  private Attack by(Who caller) {
    return new Attack(name, promise, caller, before, around, options, payload, mayRefuse, control);
  }

  private Attack after(String script) {
    return new Attack(name, promise, who, script, around, options, payload, mayRefuse, control);
  }

  private Attack around(String words) {
    return new Attack(
        name, promise, who, before, split(words), options, payload, mayRefuse, control);
  }

  private Attack with(String... more) {
    List<String> all = join(options, split(String.join(" ", more)).toArray(String[]::new));
    return new Attack(name, promise, who, before, around, all, payload, mayRefuse, control);
  }

  private Attack onlyWith(String words) {
    return new Attack(
        name, promise, who, before, around, split(words), payload, mayRefuse, control);
  }

  private Attack orRefused() {
    return new Attack(name, promise, who, before, around, options, payload, true, control);
  }

  /** The command itself, without the program of attacks. */
  private Attack commanding(String words) {
    return new Attack(
        name, promise, who, before, around, options, split(words), mayRefuse, control);
  }

  boolean concerns(CallingUser user) {
    return switch (who) {
      case EVERYONE -> true;
      case ROOT -> user.isRoot();
      case OTHERS -> !user.isRoot();
    };
  }

  /** Whether the host can only be prepared by root. */
  boolean needsRoot() {
    return before.contains("chown") || around.contains("{become}") || around.contains("{root}");
  }

  @Override
  public String toString() {
    return name;
  }

  static final List<Attack> ALL =
      Stream.of(
              theRoot(),
              theMounts(),
              theLinks(),
              thePrivileges(),
              theMachine(),
              theProcesses(),
              theNamespaces(),
              theCaller(),
              theCapable(),
              theSystemCalls())
          .flatMap(List::stream)
          .toList();

  private static List<Attack> theRoot() {
    Promise promise = Promise.OLD_ROOT_UNREACHABLE;
    List<Attack> all = new ArrayList<>();
    all.add(attack("a file outside", promise, "read-secret {secret}", plainly()));
    all.add(attack("chroot and climb", promise, "chroot-and-climb {secret} /tmp", inTheOrigin()));
    all.add(
        attack(
            "own namespaces, chroot and climb",
            promise,
            "nested-chroot-and-climb {secret} /tmp",
            inTheOrigin()));
    all.add(attack("own mount namespace", promise, "enter-own-mounts {secret}", inTheOrigin()));
    all.add(
        attack(
                "mount namespace of the host",
                promise,
                "enter-mounts-of {pid} {secret}",
                inTheOrigin())
            .by(Who.ROOT));
    all.add(attack("user namespace of another", promise, "enter-users-of {nested}", plainly()));
    all.add(attack("namespaces by a pidfd", promise, "enter-by-pidfd {nested}", plainly()));
    all.add(attack("root of a process", promise, "through-root-of {pid} {secret}", plainly()));
    all.add(
        attack("directory of a process", promise, "through-directory-of {pid} secret", plainly()));
    all.add(
        attack("descriptor of a process", promise, "through-descriptor-of {pid} {fd}", plainly()));
    all.add(
        attack("root of any process", promise, "through-any-process {secret}", plainly())
            .around(PARENT));
    all.add(
        attack(
                "working directory outside",
                promise,
                "through-working-directory {secret}",
                plainly())
            .around("{attack} in-directory {outside} --"));
    all.add(attack("leftovers of the set-up", promise, "through-leftovers {secret}", inOldRoot()));
    all.add(
        attack("a file by its handle", promise, "by-handle {handle} /usr", plainly()).by(Who.ROOT));
    all.add(
        attack(
                "255 descriptors",
                Promise.NO_INHERITED_DESCRIPTORS,
                "through-descriptors {secret}",
                plainly())
            .around("{attack} with-descriptors --"));
    all.add(
        attack(
                "255 descriptors, with an init",
                Promise.NO_INHERITED_DESCRIPTORS,
                "through-descriptors {secret}",
                plainly())
            .around("{attack} with-descriptors --")
            .with("--unshare-pid --proc /proc"));
    return all;
  }

  private static Control inOldRoot() {
    return new Control.Behind(List.of("{unshare}", "env", "OLDROOT=1", "sh", "-c", ORIGIN, "sh"));
  }

  private static List<Attack> theMounts() {
    Promise promise = Promise.READ_ONLY_RECURSIVE;
    String make = "mkdir -p {here}/below && chown {uid} {here}/below";
    Control remount =
        inMounts("mount --bind {here} {here} && mount -o remount,bind,ro {here} && exec \"$@\"");
    String readOnly = "--ro-bind {here} {here}";
    List<Attack> all = new ArrayList<>();
    all.add(
        attack("write to what is read-only", promise, "write-file {here}/file", plainly())
            .with(readOnly));
    all.add(
        attack(
                "write to a mount below what is read-only",
                promise,
                "write-file {here}/below/file",
                // What mount(2) makes of MS_BIND|MS_RDONLY|MS_REC.
                inMounts(
                    "mount --rbind {here} {here} && mount -o remount,bind,ro {here} && exec"
                        + " \"$@\""))
            .after(make)
            .around("{attack} mounted {here}/below -- {become}")
            .with(readOnly));
    all.add(
        attack("remount writable", promise, "remount-and-write {here}", remount).with(readOnly));
    all.add(
        attack(
                "remount a mount below writable",
                promise,
                "remount-and-write {here}/below",
                inMounts("mount -o remount,bind,ro {here}/below; exec \"$@\""))
            .after(make)
            .around("{attack} mounted {here}/below -- {become}")
            .with(readOnly));
    all.add(
        attack(
                "own namespaces, remount writable",
                promise,
                "nested-remount-and-write {here}",
                remount)
            .with(readOnly));
    all.add(
        attack("change attributes to writable", promise, "set-attributes-and-write {here}", remount)
            .with(readOnly));
    all.add(
        attack("writable copy of a mount", promise, "clone-and-write {here}", remount)
            .with(readOnly));

    Control cover = inMounts("mount -t tmpfs none {here}/covered && exec \"$@\"");
    String covered =
        "mkdir -p {here}/covered {here}/elsewhere && echo secret >{here}/covered/secret && chown -R {uid} {here}";
    String options = "--bind {here} {here} --tmpfs {here}/covered";
    all.add(
        attack("unmount a cover", Promise.COVERED_STAYS_COVERED, "uncover {here}/covered", cover)
            .after(covered)
            .with(options));
    all.add(
        attack(
                "own namespaces, unmount a cover",
                Promise.COVERED_STAYS_COVERED,
                "nested-uncover {here}/covered",
                cover)
            .after(covered)
            .with(options));
    all.add(
        attack(
                "own namespaces, move a cover",
                Promise.COVERED_STAYS_COVERED,
                "nested-move-cover {here}/covered {here}/elsewhere",
                cover)
            .after(covered)
            .with(options));

    all.add(
        attack(
                "own namespaces, bind without a cover",
                Promise.COVERED_STAYS_COVERED,
                "nested-bind-without-cover {here} /tmp",
                cover)
            .after(covered)
            .with(options));

    all.add(
        attack(
                "see later mounts of the host",
                Promise.NO_MOUNT_PROPAGATION,
                "see-later-mount {here}",
                new Control.Behind(split("unshare -m --propagation slave")))
            .by(Who.ROOT)
            .after(make)
            .around("{attack} shared {here} -- {become}")
            .with("--bind {here} {here}"));
    all.add(
        attack(
                "mount on the host",
                Promise.MOUNTS_STAY_INSIDE,
                "mount-for-others {here}",
                new Control.Behind(List.of()))
            .by(Who.ROOT)
            .after(make)
            .around("{attack} shared {here} -- {become}")
            .with("--bind {here} {here}"));
    all.add(attack("mount", Promise.NO_CAPABILITIES, "mount-something /tmp", inTheOrigin()));
    all.add(
        attack(
            "mount by descriptors",
            Promise.NO_CAPABILITIES,
            "mount-by-descriptors /tmp",
            inTheOrigin()));
    return all;
  }

  /** Links that lead out on the host (CVE-2026-87766), and what would be made behind them. */
  private static List<Attack> theLinks() {
    List<Attack> all = new ArrayList<>();
    String[][] links = {
      {"absolute", "{outside}"},
      {"upwards", "../../../../../../../../../../..{outside}"},
      {"through its own root", "/proc/self/root{outside}"},
      {"through its thread's root", "/proc/thread-self/root{outside}"},
      {"through the old root", "/oldroot{outside}"}
    };
    for (String[] link : links) {
      boolean onHost = !link[1].startsWith("/oldroot");
      all.add(
          planted(
              "link " + link[0] + ": directory",
              link[1],
              "--dir {here}/out/made",
              onHost ? byShell("mkdir {here}/out/made") : bySetUp("mkdir {here}/out/made")));
    }
    String[][] operations = {
      {"tmpfs", "--tmpfs {here}/out/made", "mkdir {here}/out/made"},
      {"bind", "--bind /etc {here}/out/made", "mkdir {here}/out/made"},
      {"file", "--ro-bind /etc/passwd {here}/out/made", "touch {here}/out/made"},
      {"link", "--symlink x {here}/out/made", "ln -s x {here}/out/made"},
      {"proc", "--proc {here}/out/made", "mkdir {here}/out/made"},
      {"devices", "--dev {here}/out/made", "mkdir {here}/out/made"}
    };
    for (String[] operation : operations) {
      all.add(
          planted(
              "link absolute: " + operation[0], "{outside}", operation[1], byShell(operation[2])));
    }
    all.add(
        attack(
                "link in place of /dev",
                Promise.DESTINATIONS_CONFINED,
                "nothing",
                byShell("mkdir {here}/dev/null"))
            .after("ln -s {outside} {here}/dev; cp {attack} {here}; mkdir {here}/proc")
            .onlyWith("--bind {here} / --dev /dev --proc /proc")
            .commanding("/attack nothing")
            .orRefused());
    all.add(
        attack(
                "dangling link: file",
                Promise.DESTINATIONS_CONFINED,
                "nothing",
                byShell("touch {here}/out"))
            .after("ln -s {outside}/made {here}/out")
            .with("--bind {here} {here} --ro-bind /etc/passwd {here}/out")
            .orRefused());

    StringBuilder hundred = new StringBuilder();
    StringBuilder followed = new StringBuilder();
    for (int i = 0; i < 100; i++) {
      hundred.append(" --dir {here}/out/made").append(i);
      followed.append("mkdir -p {here}/out/made").append(i).append(" 2>/dev/null\n");
    }
    String swap =
        "mkdir -p {here}/out; ln -s {outside} {here}/link; chown -h {uid} {here}/link {here}/out";
    all.add(
        attack(
                "link that comes and goes on the way to a destination",
                Promise.NO_SYMLINK_RACES,
                "nothing",
                byShell(followed.toString()))
            .after(swap)
            .around("{attack} exchange 10 {here}/out {here}/link --")
            // There inside, too: whoever follows the link rightly finds a place.
            .with("--bind {here} {here} --dir {outside}" + hundred)
            .orRefused());
    all.add(
        attack(
                "link that comes and goes on the way to a source",
                Promise.READ_ONLY_RECURSIVE,
                "write-file {here}/out/written",
                sandboxed("--bind {here}/out {here}/out"))
            .after(swap)
            .around("{attack} exchange 10 {here}/out {here}/link --")
            .with("--ro-bind {here}/out {here}/out")
            .orRefused());
    return all;
  }

  private static Attack planted(String name, String target, String option, Control control) {
    return attack(name, Promise.DESTINATIONS_CONFINED, "nothing", control)
        .after("ln -s " + target + " {here}/out")
        .with("--bind {here} {here}", option)
        .orRefused();
  }

  private static List<Attack> thePrivileges() {
    String bind = "--bind {here} {here}";
    List<Attack> all = new ArrayList<>();
    all.add(
        attack(
                "set-user-ID program",
                Promise.NO_NEW_PRIVILEGES,
                "set-user-id {here}/program",
                plainly())
            .after(
                "cp {attack} {here}/program && chown 1 {here}/program && chmod 4755 {here}/program")
            .with(bind));
    all.add(
        attack(
                "set-group-ID program",
                Promise.NO_NEW_PRIVILEGES,
                "set-group-id {here}/program",
                plainly())
            .after(
                "cp {attack} {here}/program && chown 0:1 {here}/program && chmod 2755 {here}/program")
            .with(bind));
    all.add(
        attack(
                "program with capabilities",
                Promise.NO_NEW_PRIVILEGES,
                "file-capabilities {here}/program",
                plainly())
            .after(
                "cp {attack} {here}/program && {attack} give-capabilities {here}/program; chown {uid} {here}")
            .with(bind));
    all.add(attack("capabilities", Promise.NO_CAPABILITIES, "capabilities", inTheOrigin()));
    all.add(
        attack(
                "capabilities of a root by name",
                Promise.NO_CAPABILITIES,
                "capabilities",
                inTheOrigin())
            .with("--map-root-user"));
    all.add(
        attack(
                "capabilities back by execve",
                Promise.NO_CAPABILITIES,
                "file-capabilities {attack}",
                inTheOrigin())
            .with("--map-root-user"));
    all.add(
        attack("raise a capability", Promise.NO_CAPABILITIES, "raise-capabilities", inTheOrigin()));
    all.add(
        attack("name of the host", Promise.NO_CAPABILITIES, "name-host", plainly()).by(Who.ROOT));
    all.add(
        attack("another user", Promise.UNPRIVILEGED_USER, "become 1", plainly())
            .by(Who.ROOT)
            .with("--uid 7 --gid 7"));
    all.add(
        attack(
                "program of root's on the host",
                Promise.UNPRIVILEGED_USER,
                "make-set-user-id {here}/made-set-user-id",
                sandboxed(bind))
            .by(Who.ROOT)
            .after("chmod 777 {here}")
            .with(bind, "--uid 7 --gid 7"));
    all.add(
        attack(
                "file of root's",
                Promise.UNPRIVILEGED_USER,
                "read-secret {here}/secret",
                sandboxed(bind))
            .by(Who.ROOT)
            .after("echo secret >{here}/secret && chmod 600 {here}/secret")
            .with(bind, "--uid 7 --gid 7"));
    all.add(
        attack("give a file away", Promise.NO_CAPABILITIES, "give-away {here}/file", plainly())
            .by(Who.ROOT)
            .with(bind));
    String groups = "{root} setpriv --reuid {uid} --regid {uid} --groups 5 --";
    String groupsFile =
        "echo secret >{here}/secret && chown 1:5 {here}/secret && chmod 040 {here}/secret";
    all.add(
        attack("file of a group's", Promise.GROUPS_DROPPED, "read-secret {here}/secret", plainly())
            .after(groupsFile)
            .around(groups)
            .with(bind));
    all.add(
        attack("file that a group may not read", Promise.NO_CAPABILITIES, "drop-groups", plainly())
            .by(Who.ROOT));
    return all;
  }

  private static List<Attack> theMachine() {
    Promise promise = Promise.KERNEL_FILES_CLOSED;
    List<Attack> all = new ArrayList<>();
    String[][] files = {
      {
        "core_pattern, sysrq and interrupts",
        "/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sysrq-trigger"
            + " /proc/irq/default_smp_affinity"
      },
      {
        "cgroups",
        "/sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/unified/cgroup.procs"
            + " /sys/fs/cgroup/memory/cgroup.procs"
      },
      {"power and events", "/sys/power/state /sys/kernel/uevent_helper /sys/kernel/mm/ksm/run"},
      {"disks", "/dev/sda /dev/vda /dev/nvme0n1 /dev/loop0"},
      {"memory and virtual machines", "/dev/mem /dev/kmsg /dev/kvm /dev/loop-control"}
    };
    for (String[] each : files) {
      all.add(attack(each[0], promise, "open-any-for-writing " + each[1], plainly()).by(Who.ROOT));
      all.add(
          attack(
                  each[0] + ", of another user",
                  Promise.UNPRIVILEGED_USER,
                  "open-any-for-writing " + each[1],
                  plainly())
              .by(Who.ROOT)
              .with("--uid 7 --gid 7"));
    }
    all.add(
        attack("make a device", Promise.NO_DEVICES, "make-device {here}", plainly())
            .by(Who.ROOT)
            .with("--bind {here} {here}"));
    all.add(
        attack(
                "device in a bound directory",
                Promise.NO_DEVICES,
                "open-device {here}/null",
                plainly())
            .after("mknod {here}/null c 1 3 && chmod 666 {here}/null; chown {uid} {here}")
            .with("--bind {here} {here}"));
    return all;
  }

  private static List<Attack> theProcesses() {
    Promise promise = Promise.PROCESSES_CLOSED;
    List<Attack> all = new ArrayList<>();
    all.add(attack("trace", promise, "trace {pid}", plainly()));
    all.add(attack("trace the parent", promise, "trace-parent", plainly()).around(PARENT));
    all.add(
        attack("trace whoever made the sandbox", promise, "trace-any {mark}", plainly())
            .around(PARENT));
    all.add(attack("read memory", promise, "read-memory {pid} {address}", plainly()));
    all.add(attack("write memory", promise, "write-memory {pid} {address}", plainly()));
    all.add(
        attack("write memory as a file", promise, "write-memory-file {pid} {address}", plainly()));
    all.add(attack("take a descriptor", promise, "take-descriptor {pid} {fd}", plainly()));
    all.add(attack("read an environment", promise, "read-environment {pid} {mark}", plainly()));
    all.add(attack("write to an executable", promise, "write-executable {pid}", plainly()));
    all.add(
        attack("write to the parent's executable", promise, "write-executable-of-parent", plainly())
            .around(PARENT));
    all.add(
        attack("write to any executable", promise, "write-any-executable", plainly())
            .around(PARENT));
    all.add(
        attack("write to the init's executable", promise, "write-any-executable", plainly())
            .around(PARENT)
            .with("--unshare-pid --proc /proc"));
    all.add(
        attack("trace the init", promise, "trace-any {mark}", plainly())
            .around(PARENT)
            .with("--unshare-pid --proc /proc"));
    all.add(
        attack(
                "environment of any process",
                Promise.ENVIRONMENT_CLEARED,
                "read-any-environment {mark}",
                sandboxed(""))
            .around(PARENT)
            .with("--clearenv --setenv PATH /usr/bin:/bin"));
    all.add(
        attack(
                "environment of any process, with an init",
                Promise.ENVIRONMENT_CLEARED,
                "read-any-environment {mark}",
                sandboxed("--unshare-pid --proc /proc"))
            .around(PARENT)
            .with("--clearenv --setenv PATH /usr/bin:/bin --unshare-pid --proc /proc"));

    String[][] others = {
      {"kill a process", "send-signal {pid}"},
      {"kill a process by a pidfd", "send-signal-by-pidfd {pid}"},
      {"signal by owning a descriptor", "signal-by-owner {pid}"},
      {"limit a process", "limit-process {pid}"},
      {"see a process", "see-process {pid}"}
    };
    for (String[] other : others) {
      all.add(
          attack(other[0], Promise.PID_ISOLATION, other[1], sandboxed(""))
              .with("--unshare-pid --proc /proc"));
    }
    // A root without capabilities may not do it to one that has them (capabilities(7)).
    all.add(
        attack("slow a process down", Promise.PID_ISOLATION, "slow-process {pid}", sandboxed(""))
            .by(Who.OTHERS)
            .with("--unshare-pid --proc /proc"));
    return all;
  }

  private static List<Attack> theNamespaces() {
    List<Attack> all = new ArrayList<>();
    String[][] network = {
      {"port of the host", "connect-port {port}"},
      {"abstract socket", "connect-abstract {abstract}"},
      {"network devices", "see-devices"}
    };
    for (String[] each : network) {
      all.add(
          attack(each[0], Promise.NETWORK_ISOLATION, each[1], sandboxed("")).with("--unshare-net"));
    }
    all.add(
        attack(
            "socket outside",
            Promise.OLD_ROOT_UNREACHABLE,
            "connect-path {outside}/socket",
            plainly()));
    all.add(
        attack("bound socket", Promise.BOUND_IS_CLOSED, "connect-path {outside}/socket", plainly())
            .with("--ro-bind {outside} {outside} --unshare-all --proc /proc"));
    all.add(
        attack("key of the session", Promise.BOUND_IS_CLOSED, "read-key cloister", plainly())
            .around("{attack} with-key cloister --")
            .with("--unshare-all --proc /proc"));
    all.add(
        attack("shared memory", Promise.IPC_ISOLATION, "attach-shared-memory {key}", sandboxed(""))
            .with("--unshare-ipc"));
    all.add(
        attack("message queue", Promise.IPC_ISOLATION, "open-queue {queue}", sandboxed(""))
            .with("--unshare-ipc"));
    return all;
  }

  private static List<Attack> theCaller() {
    List<Attack> all = new ArrayList<>();
    String terminal = "{attack} terminal --";
    String words = "--ro-bind {outside} {outside} {attack} read-secret {secret}";
    String[][] keys = {
      {"type into the terminal", "push-key"},
      {"type, with high bits", "push-key-high"},
      {"type into /dev/tty", "push-key-by-name"}
    };
    for (String[] key : keys) {
      all.add(
          attack(key[0], Promise.TERMINAL_CLOSED, key[1], sandboxed(""))
              .around(terminal)
              .with("--new-session"));
    }
    all.add(
        attack("paste into the console", Promise.TERMINAL_CLOSED, "paste", plainly())
            .by(Who.ROOT)
            .around("{attack} console /dev/tty20 --")
            .with("--new-session"));
    all.add(
        attack(
                "live on after the caller",
                Promise.DIES_WITH_PARENT,
                "live-on {here}",
                sandboxed("--bind {here} {here}"))
            .around("{attack} killing {here} -- {attack} parent --")
            .with("--bind {here} {here} --die-with-parent --unshare-pid --proc /proc"));
    all.add(
        attack(
                "live on after the launcher",
                Promise.ENDS_WITH_LAUNCHER,
                "live-on {here}",
                sandboxed("--bind {here} {here}"))
            .around("{attack} killing {here} --")
            .with("--bind {here} {here} --unshare-pid --proc /proc"));
    all.add(
        attack(
                "options in the command",
                Promise.WORDS_ARE_WORDS,
                "nothing",
                new Control.Instead(split("{cloister} run " + BASE + " " + words)))
            .commanding(words)
            .orRefused());
    return all;
  }

  /** Capabilities that are asked for must not open what is closed without them. */
  private static List<Attack> theCapable() {
    Control remount =
        inMounts("mount --bind {here} {here} && mount -o remount,bind,ro {here} && exec \"$@\"");
    Control cover = inMounts("mount -t tmpfs none {here}/covered && exec \"$@\"");
    String covered =
        "mkdir -p {here}/covered && echo secret >{here}/covered/secret && chown -R {uid} {here}";
    List<Attack> all = new ArrayList<>();
    all.add(
        attack(
                "remount writable, with every capability",
                Promise.READ_ONLY_RECURSIVE,
                "remount-and-write {here}",
                remount)
            .with("--ro-bind {here} {here}"));
    all.add(
        attack(
                "change attributes to writable, with every capability",
                Promise.READ_ONLY_RECURSIVE,
                "set-attributes-and-write {here}",
                remount)
            .with("--ro-bind {here} {here}"));
    all.add(
        attack(
                "unmount a cover, with every capability",
                Promise.COVERED_STAYS_COVERED,
                "nested-uncover {here}/covered",
                cover)
            .after(covered)
            .with("--bind {here} {here} --tmpfs {here}/covered"));
    String[][] ways = {
      {"chroot and climb", "nested-chroot-and-climb {secret} /tmp"},
      {"own mount namespace", "enter-own-mounts {secret}"},
      {"leftovers of the set-up", "through-leftovers {secret}"}
    };
    for (String[] way : ways) {
      Control control = way[0].startsWith("left") ? inOldRoot() : inTheOrigin();
      all.add(
          attack(
              way[0] + ", with every capability", Promise.OLD_ROOT_UNREACHABLE, way[1], control));
    }
    String[][] processes = {
      {"trace", "trace {pid}"},
      {"write memory", "write-memory {pid} {address}"},
      {"read an environment", "read-environment {pid} {mark}"},
      {"take a descriptor", "take-descriptor {pid} {fd}"}
    };
    for (String[] each : processes) {
      all.add(
          attack(
              each[0] + ", with every capability", Promise.PROCESSES_CLOSED, each[1], plainly()));
    }
    all.add(
        attack(
                "make a device, with every capability",
                Promise.NO_DEVICES,
                "make-device {here}",
                plainly())
            .by(Who.ROOT)
            .with("--bind {here} {here}"));
    all.add(
        attack(
                "a file by its handle, with every capability",
                Promise.OLD_ROOT_UNREACHABLE,
                "by-handle {handle} /usr",
                plainly())
            .by(Who.ROOT));
    List<Attack> capable = new ArrayList<>();
    for (Attack attack : all) {
      capable.add(attack.with("--cap-add ALL"));
    }
    capable.add(
        attack("user namespace", Promise.NO_NESTED_NAMESPACES, "nested-namespace", sandboxed(""))
            .with("--disable-userns"));
    capable.add(
        attack(
                "user namespace, after raising the limit",
                Promise.NO_NESTED_NAMESPACES,
                "nested-namespace-after-raising",
                sandboxed(""))
            .with("--disable-userns"));
    return capable;
  }

  /** What the default filter refuses, whatever else would allow it. */
  private static List<Attack> theSystemCalls() {
    String[][] calls = {
      {"type into the terminal, filtered", "push-key", "{attack} terminal --"},
      {"type, with high bits, filtered", "push-key-high", "{attack} terminal --"},
      {"paste into the terminal, filtered", "reach-terminal", "{attack} terminal --"},
      {"key of the session, filtered", "read-key cloister", "{attack} with-key cloister --"},
      {"user namespace, filtered", "nested-namespace", "env"},
      {"io_uring, filtered", "make-ring", "env"}
    };
    List<Attack> all = new ArrayList<>();
    for (String[] call : calls) {
      all.add(
          attack(call[0], Promise.SYSTEM_CALLS, call[1], sandboxed(""))
              .around(call[2])
              .with("--seccomp-profile default"));
    }
    return all;
  }
}
