package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.GivenNamespaces;
import dev.cloister.spec.Identity;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who the process is: the user namespaces, the ids, the capabilities. This is where they come
 * together, in the order in which a process changes them; each is somebody else's: {@link
 * Ownership} says which user namespaces there are, and why, {@link CommandUser} who the command is
 * in them, and {@link PrivilegeDrop} what it may still do.
 */
public final class Credentials {
  /** Opened before the root changes: it still shows this process after that. */
  public static final Slot PROC = new Slot("proc");

  private static final Slot ROOT = new Slot("root");

  /** What is read when somebody else has written the maps. */
  private static final Buffer MAPPED = new Buffer("mapped", 1);

  private final HostReport host;
  private final SandboxSpec spec;
  private final Privileges privileges;
  private final GivenNamespaces given;
  private final Joining joining;
  private final Ownership ownership;
  private final CommandUser user;
  private final IdMaps maps;
  private final UserNamespaceLimit limit;
  private final PrivilegeDrop drop;

  /** Those of a command that asks for no privileges. */
  public Credentials(HostReport host, Identity identity) {
    this(host, SandboxSpec.builder().identity(identity).build());
  }

  public Credentials(HostReport host, SandboxSpec spec) {
    this(host, spec, CommandUser.of(host, spec));
  }

  /** Of a command that stays in all of the caller's namespaces. */
  public static Credentials inPlace(HostReport host, SandboxSpec spec) {
    HostReport without = host.with(Set.of(Workaround.NO_USER_NAMESPACE));
    return new Credentials(without, spec, CommandUser.real(without, spec));
  }

  private Credentials(HostReport host, SandboxSpec spec, CommandUser user) {
    this.host = host;
    this.spec = spec;
    this.privileges = spec.privileges();
    this.given = spec.given();
    this.joining = new Joining(given);
    this.ownership = new Ownership(host, spec, joining);
    this.user = user;
    this.maps = new IdMaps(PROC, host.anyOf().isPresent());
    this.limit = new UserNamespaceLimit(PROC, privileges.userNamespaces());
    this.drop = new PrivilegeDrop(host.caller(), spec);
  }

  /** Whether this caller can be given the identity that {@code spec} asks for. */
  public static Assessment assess(SandboxSpec spec, HostReport host) {
    return new CredentialsAssessment(spec, host).assess();
  }

  public static Call openProc() {
    return Steps.openDirectory("/proc", PROC)
        .hint(Errno.ENOENT, "Cloister needs a /proc mounted where it is started");
  }

  /** Those that are made together with the last user namespace, which then owns them. */
  public static Set<Namespace> namespacesMadeLast(SandboxSpec spec) {
    return Ownership.ownedByLast(spec);
  }

  /** The others, and what makes them usable. */
  public List<Instruction> makeNamespaces() {
    NewNamespaces first = ownership.madeFirst();
    List<Instruction> steps = new ArrayList<>(make(first));
    steps.addAll(first.setUp(spec));
    return steps;
  }

  /** Opens /proc for later, and makes these namespaces and the user namespace that they need. */
  public List<Instruction> makeNamespaces(Set<Namespace> namespaces) {
    return make(ownership.madeFirst(namespaces));
  }

  private List<Instruction> make(NewNamespaces first) {
    List<Instruction> steps = new ArrayList<>();
    if (!host.needs(Workaround.OWN_PROC)) {
      steps.add(openProc());
    }
    steps.addAll(user.dropGroupsBefore());
    steps.addAll(joining.first());
    Call unshare = first.unshare();
    if (!ownership.startsInNew()) {
      steps.add(
          unshare.hint(
              Errno.EPERM, "a seccomp filter forbids new namespaces; see `cloister probe`"));
      return steps;
    }
    steps.add(unshare);
    if (!ownership.startsUnmapped()) {
      steps.addAll(maps.denySetgroups());
      steps.addAll(maps.write(Ids.ROOT, user.callers()));
    }
    return steps;
  }

  /** What {@link #makeNamespaces()} made, for a process that enters it later. */
  KeptNamespaces keptFirst() {
    return ownership.madeFirst().keep();
  }

  /** Lets what is made from now on, directories, files and file systems, be the command's. */
  public List<Instruction> makeAsCommandUser() {
    return ownership.startsMappedByOthers() ? becomeMapped() : user.makeFiles();
  }

  /** Becomes the command's user in a user namespace that others map, once they have done so. */
  private List<Instruction> becomeMapped() {
    List<Instruction> steps = new ArrayList<>(awaitMaps());
    steps.addAll(user.becomeMapped());
    return steps;
  }

  /**
   * Says which process's user namespace is to be mapped, and waits until that is done: a byte, or
   * the end, can then be read.
   */
  private List<Instruction> awaitMaps() {
    List<Instruction> steps = new ArrayList<>();
    if (given.mapped().isPresent()) {
      steps.addAll(Announcement.of(spec));
      steps.add(
          Call.of(
                  SystemCall.READ,
                  Operand.of(given.mapped().getAsInt()),
                  Operand.of(MAPPED),
                  Operand.of(MAPPED.size()))
              .retry(Errno.EINTR)
              .hint(Errno.EBADF, "--userns-block-fd: this descriptor is not open for reading"));
    }
    return steps;
  }

  /** Says who the sandbox is to those who asked, unless that was done before. */
  List<Instruction> announce() {
    return given.mapped().isPresent() ? List.of() : Announcement.of(spec);
  }

  /** Becomes who the command shall be, in a user namespace that owns nothing. */
  public List<Instruction> becomeCommandUser() {
    List<Instruction> steps = new ArrayList<>(becomeInCallersNamespace());
    if (given.userIsShared()) {
      steps.addAll(joining.last(user.becomeMapped()));
      steps.addAll(makeLast());
    } else if (ownership.commandHasItsOwn()) {
      steps.addAll(host.caller().isPrivileged() ? becomeBelowCallers() : becomeBelowRoots());
    }
    return steps;
  }

  /** As far as it concerns the process, and not the user namespace that it makes. */
  List<Instruction> becomeInCallersNamespace() {
    List<Instruction> steps = new ArrayList<>();
    if (privileges.authority().isCallers()) {
      // It is the caller, groups included, and a domain would forbid what it is to be able to do.
      return steps;
    }
    steps.addAll(user.becomeReal());
    if (host.needs(Workaround.NO_USER_NAMESPACE) && host.needs(Workaround.LANDLOCK_DOMAIN)) {
      steps.addAll(enterLandlockDomain());
    }
    return steps;
  }

  /** A domain that forbids nothing in itself: the one right it handles, it grants everywhere. */
  private List<Instruction> enterLandlockDomain() {
    InheritedDescriptors descriptors = new InheritedDescriptors(spec);
    int number = LandlockDomain.placeNumber(descriptors);
    List<LinuxConstant> right = List.of(LinuxConstant.LANDLOCK_ACCESS_FS_REFER);
    List<Instruction> steps = new ArrayList<>();
    steps.add(Prctl.set(LinuxConstant.PR_SET_NO_NEW_PRIVS, 1));
    steps.add(LandlockDomain.create(right));
    steps.add(Steps.openDirectory("/", ROOT));
    steps.addAll(descriptors.requireFree(number));
    steps.addAll(LandlockDomain.allow(ROOT, right, number));
    steps.add(LandlockDomain.enter());
    return steps;
  }

  /** What the last user namespace owns, where it is there already. */
  private List<Instruction> makeLast() {
    List<Instruction> steps = new ArrayList<>();
    NewNamespaces last = ownership.madeLast();
    if (!last.isEmpty()) {
      steps.add(last.unshare());
      steps.addAll(last.setUp(spec));
    }
    return steps;
  }

  /** Becomes it below the caller's user namespace, where this process is that user already. */
  private List<Instruction> becomeBelowCallers() {
    List<Instruction> steps = new ArrayList<>();
    if (limit.isSet()) {
      // The limit is one namespace's, and that of the caller's is not for Cloister to change.
      steps.addAll(enterUserNamespace(NewNamespaces.NONE));
    }
    steps.addAll(enterLastUserNamespace());
    return steps;
  }

  /** Becomes it below the user namespace that owns the mounts, where this process is root. */
  private List<Instruction> becomeBelowRoots() {
    NewNamespaces last = ownership.madeLast();
    List<Instruction> steps = new ArrayList<>(limit.set());
    steps.add(last.withUser().unshare());
    steps.addAll(maps.write(user.own(), Ids.ROOT));
    steps.addAll(last.setUp(spec));
    return steps;
  }

  /**
   * Enters the last one as a process that is the command's user already, in a user namespace that
   * was made for it and owns its mounts. It has {@link #neededToEnter}.
   */
  public List<Instruction> enterLastUserNamespace() {
    NewNamespaces last = NewNamespaces.of(Ownership.ownedByLast(spec));
    List<Instruction> steps = new ArrayList<>(limit.set());
    steps.addAll(enterUserNamespace(last));
    steps.addAll(last.setUp(spec));
    return steps;
  }

  /** Capabilities for {@link #enterLastUserNamespace}: to map id 0, and to set the limit. */
  public static List<LinuxConstant> neededToEnter() {
    return List.of(LinuxConstant.CAP_SETFCAP, LinuxConstant.CAP_SYS_RESOURCE);
  }

  /** One more, together with these, in which the ids stay what they are. */
  private List<Instruction> enterUserNamespace(NewNamespaces owned) {
    List<Instruction> steps = new ArrayList<>();
    steps.add(owned.withUser().unshare());
    if (given.mapped().isPresent()) {
      steps.addAll(becomeMapped());
      return steps;
    }
    steps.addAll(maps.denySetgroups());
    steps.addAll(maps.write(user.own(), user.own()));
    return steps;
  }

  /** What {@link #becomeCommandUser} made. */
  KeptNamespaces keptLast() {
    return ownership.commandStaysInCallers()
        ? NewNamespaces.NONE.keep()
        : ownership.madeLast().withUser().keep();
  }

  /** {@link PrivilegeDrop#takeAll}. */
  public static List<Instruction> giveUpCapabilities() {
    return PrivilegeDrop.takeAll();
  }

  /** Leaves only these, effective and permitted. */
  public static Call setCapabilities(List<LinuxConstant> capabilities) {
    return CapabilitySet.of(capabilities).setEffective();
  }

  /**
   * {@link #giveUpCapabilities}, but for those that were asked for; and proves, if asked, that no
   * user namespace can be made.
   */
  public List<Instruction> leaveOnlyWhatIsAskedFor() {
    List<Instruction> steps = new ArrayList<>(drop.takeOthers());
    steps.addAll(limit.prove());
    return steps;
  }

  /** Whether the init is to be protected by {@link PrivilegeDrop#takeAllButShield}. */
  boolean shieldsInit() {
    return drop.shieldsInit();
  }

  /** What {@link #becomeCommandUser} and {@link #leaveOnlyWhatIsAskedFor} guarantee. */
  public Set<Guarantee> guarantees() {
    Set<Guarantee> given = new TreeSet<>(List.of(Guarantee.NO_NEW_PRIVILEGES));
    if (privileges.capabilities().isEmpty()) {
      given.add(Guarantee.NO_CAPABILITIES);
    }
    if (ownership.commandHasItsOwn()) {
      given.add(Guarantee.OWN_USER_NAMESPACE);
    }
    if (noProcessLeadsOut()) {
      given.add(Guarantee.OLD_ROOT_UNREACHABLE);
    }
    if (!user.mayBeRoot()) {
      given.add(Guarantee.UNPRIVILEGED_USER);
    }
    if (user.hasNoOtherGroups()) {
      given.add(Guarantee.GROUPS_DROPPED);
    }
    return given;
  }

  /**
   * In a user namespace with others, the caller's own or a given one, the command may trace those
   * of its user that have no capabilities, and walk through /proc/PID/root of theirs (ptrace(2)).
   * In one that owns the mounts, capabilities would do for that: the process that waits is in it.
   */
  private boolean noProcessLeadsOut() {
    if (given.userIsShared()) {
      return false;
    }
    return ownership.commandHasItsOwn()
        || (ownership.startsUnmapped() && privileges.capabilities().isEmpty())
        || (host.needs(Workaround.LANDLOCK_DOMAIN) && !privileges.authority().isCallers());
  }

  /** Whether no capability of the command's could change its mounts. */
  boolean mountsAreLocked() {
    return !ownership.commandOwnsMounts() || privileges.capabilities().isEmpty();
  }
}
