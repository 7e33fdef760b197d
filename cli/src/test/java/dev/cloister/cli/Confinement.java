package dev.cloister.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a kernel, a container runtime or a security module refuses; see {@code confine.c}. */
final class Confinement {
  /** CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID and -NET of linux/sched.h. */
  private static final String NAMESPACE_FLAGS = "0x7e020000";

  private static final Path PROGRAM = CProgram.compile("confine");

  private final List<String> words = new ArrayList<>(List.of(PROGRAM.toString()));

  /** As of container runtimes' default: no namespaces, no mounts. */
  static Confinement likeContainerRuntimes() {
    Confinement confinement = new Confinement();
    for (String call : List.of("unshare", "setns", "mount", "umount2", "pivot_root")) {
      confinement.refuse(call, "EPERM");
    }
    confinement.refuse("clone", "EPERM", 0, NAMESPACE_FLAGS);
    // Its flags lie in memory, where no filter can look; libc then takes clone.
    return confinement.refuse("clone3", "ENOSYS");
  }

  /** Of a kernel that is too old for these system calls. */
  static Confinement without(List<String> calls) {
    Confinement confinement = new Confinement();
    calls.forEach(call -> confinement.refuse(call, "ENOSYS"));
    return confinement;
  }

  Confinement refuse(String call, String errno) {
    words.addAll(List.of("--refuse", call, errno));
    return this;
  }

  /** Only where the argument of that number, from 0, has one of these bits. */
  Confinement refuse(String call, String errno, int argument, String bits) {
    words.addAll(List.of("--refuse", call, errno, Integer.toString(argument), bits));
    return this;
  }

  /** Lets only files below these be written, by Landlock. */
  static Confinement writableOnly(List<Path> directories) {
    Confinement confinement = new Confinement();
    for (Path directory : directories) {
      confinement.words.addAll(List.of("--writable", directory.toString()));
    }
    return confinement;
  }

  /** What a confined command follows. */
  List<String> words() {
    List<String> all = new ArrayList<>(words);
    all.add("--");
    return all;
  }
}
