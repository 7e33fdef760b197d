package dev.cloister.recipe;

import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation.Devices;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/** Makes minimal directories of devices: those that every command needs, and the usual links. */
final class DeviceMounts {
  private static final List<String> NAMES =
      List.of("null", "zero", "full", "random", "urandom", "tty");

  private final HostReport host;
  private final NewRoot root;
  private final HostMounts hostMounts;
  private final IdentityHashMap<Devices, List<HostMount>> copies = new IdentityHashMap<>();

  /** None yet. */
  DeviceMounts(HostReport host, NewRoot root, HostMounts hostMounts) {
    this.host = host;
    this.root = root;
    this.hostMounts = hostMounts;
  }

  /** What to do before the new root covers the host's: from outside a chroot, no path is right. */
  List<Instruction> early(Devices devices) throws PlanException {
    List<Instruction> steps = new ArrayList<>();
    if (host.needs(Workaround.LEAVE_CHROOT)) {
      List<HostMount> made = new ArrayList<>();
      for (String name : NAMES) {
        HostMount copy = hostMounts.copy(OsString.of("/dev/" + name), false);
        made.add(copy);
        steps.addAll(copy.take());
      }
      copies.put(devices, made);
    }
    return steps;
  }

  List<Instruction> make(Devices devices) {
    Destination destination = devices.destination();
    List<Instruction> steps = new ArrayList<>();
    Call tmpfs = Steps.mountTmpfs(root.target(destination), "mode=0755");
    steps.addAll(root.mount(destination, Modes.MOUNT_POINT, tmpfs, Node.tmpfs()));
    steps.addAll(root.enter(destination));
    steps.addAll(bind(devices));
    steps.add(link("fd", "/proc/self/fd"));
    steps.add(link("stdin", "/proc/self/fd/0"));
    steps.add(link("stdout", "/proc/self/fd/1"));
    steps.add(link("stderr", "/proc/self/fd/2"));
    steps.add(link("core", "/proc/kcore"));
    steps.add(Steps.mkdir(OsString.of("shm"), 01777));
    steps.add(Steps.mkdir(OsString.of("pts"), 0755));
    steps.add(Steps.mountDevpts());
    steps.add(link("ptmx", "pts/ptmx"));
    steps.add(Steps.chdir(NewRoot.PATH));
    // What is in it by now is found at run time, should something be mounted over it.
    root.forget(destination);
    return steps;
  }

  /** Binds the host's in the working directory. */
  private List<Instruction> bind(Devices devices) {
    if (host.anyOf().isPresent()) {
      return List.of(LateSources.bindDevices(NAMES));
    }
    List<Instruction> steps = new ArrayList<>();
    List<HostMount> made = copies.get(devices);
    for (int i = 0; i < NAMES.size(); i++) {
      OsString name = OsString.of(NAMES.get(i));
      steps.add(Steps.mknod(name));
      if (made == null) {
        steps.add(Steps.bindDevice(NAMES.get(i)));
      } else {
        steps.addAll(made.get(i).attach(name));
        steps.addAll(made.get(i).release());
      }
    }
    return steps;
  }

  private static Call link(String name, String target) {
    return Steps.symlink(OsString.of(target), OsString.of(name));
  }
}
