package dev.cloister.cli;

import dev.cloister.strategy.Guarantee;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What docs/threat-model.md promises, in the tests' own words: what holds for whom is said here
 * anew, not taken from the code. Each is attacked by some {@link Attack}.
 */
enum Promise {
  OLD_ROOT_UNREACHABLE(Guarantee.OLD_ROOT_UNREACHABLE, "", _ -> true),
  OLD_ROOT_UNMOUNTED(
      Guarantee.OLD_ROOT_UNMOUNTED, "", setting -> !setting.strategy().equals("chroot")),
  NO_CAPABILITIES(Guarantee.NO_CAPABILITIES, "", _ -> true),
  NO_NEW_PRIVILEGES(Guarantee.NO_NEW_PRIVILEGES, "", _ -> true),
  OWN_USER_NAMESPACE(
      Guarantee.OWN_USER_NAMESPACE, "", setting -> setting.user().isRoot() || !setting.isBwrap()),
  UNPRIVILEGED_USER(Guarantee.UNPRIVILEGED_USER, "--uid", _ -> true),
  GROUPS_DROPPED(Guarantee.GROUPS_DROPPED, "", setting -> setting.user().isRoot()),
  NO_INHERITED_DESCRIPTORS(Guarantee.NO_INHERITED_DESCRIPTORS, "", _ -> true),
  READ_ONLY_RECURSIVE(Guarantee.READ_ONLY_RECURSIVE, "--ro-bind", _ -> true),
  NO_MOUNT_PROPAGATION(Guarantee.NO_MOUNT_PROPAGATION, "", setting -> !setting.isBwrap()),
  NO_SYMLINK_RACES(Guarantee.NO_SYMLINK_RACES, "", setting -> !setting.isBwrap()),
  NETWORK_ISOLATION(Guarantee.NETWORK_ISOLATION, "--unshare-net", _ -> true),
  IPC_ISOLATION(Guarantee.IPC_ISOLATION, "--unshare-ipc", _ -> true),
  PID_ISOLATION(Guarantee.PID_ISOLATION, "--unshare-pid", _ -> true),
  IN_PLACE(Guarantee.IN_PLACE, "", setting -> !setting.isBwrap()),

  PROCESSES_CLOSED(
      "processes-closed",
      "",
      "no process outside can be traced, its memory, environment, descriptors and executable"
          + " neither read nor written",
      _ -> true),
  DESTINATIONS_CONFINED(
      "destinations-confined",
      "",
      "a symbolic link in what is bound leads no mount point out of the sandbox",
      _ -> true),
  NO_DEVICES(
      "no-devices", "", "no device can be made, nor used but where devices are bound", _ -> true),
  COVERED_STAYS_COVERED(
      "covered-stays-covered", "", "what a later mount hides cannot be uncovered", _ -> true),
  MOUNTS_STAY_INSIDE(
      "mounts-stay-inside", "", "no mount of the sandbox appears on the host", _ -> true),
  KERNEL_FILES_CLOSED(
      "kernel-files-closed",
      "--preset host",
      "a root opens nothing for writing that would change the kernel or the machine",
      _ -> true),
  ENVIRONMENT_CLEARED(
      "environment-cleared",
      "--clearenv",
      "no variable of the caller's is left to be read in the sandbox",
      _ -> true),
  NO_NESTED_NAMESPACES(
      "no-nested-namespaces",
      "--disable-userns",
      "the command can make no user namespace, and so reaches less of the kernel",
      _ -> true),
  SYSTEM_CALLS(
      "system-calls",
      "--seccomp-profile default",
      "system calls that programs do not need are refused, and so is typing into a terminal",
      _ -> true),
  TERMINAL_CLOSED(
      "terminal-closed",
      "--new-session",
      "nothing can be typed into the caller's terminal",
      _ -> true),
  DIES_WITH_PARENT(
      "dies-with-parent",
      "--die-with-parent --unshare-pid",
      "no process of the sandbox outlives the one that called Cloister",
      _ -> true),
  ENDS_WITH_LAUNCHER(
      "ends-with-launcher",
      "--unshare-pid",
      "no process of the sandbox outlives the command or the process that waits for it",
      _ -> true),
  WORDS_ARE_WORDS(
      "words-are-words", "", "what follows -- is the command, whatever it looks like", _ -> true),
  BOUND_IS_CLOSED(
      "bound-is-closed",
      "",
      "a socket that is bound, or a key of the caller's session, cannot be used",
      _ -> false);

  private final String word;
  private final Optional<Guarantee> guarantee;
  private final String option;
  private final String meaning;

  // A lambda without state.
  @SuppressWarnings("ImmutableEnumChecker")
  private final Predicate<Setting> holder;

  Promise(Guarantee guarantee, String option, Predicate<Setting> holder) {
    this.word = guarantee.word();
    this.guarantee = Optional.of(guarantee);
    this.option = option;
    this.meaning = guarantee.meaning();
    this.holder = holder;
  }

  Promise(String word, String option, String meaning, Predicate<Setting> holder) {
    this.word = word;
    this.guarantee = Optional.empty();
    this.option = option;
    this.meaning = meaning;
    this.holder = holder;
  }

  String word() {
    return word;
  }

  String meaning() {
    return meaning;
  }

  /** What has to be asked for; empty if the promise holds for every sandbox. */
  String option() {
    return option;
  }

  Optional<Guarantee> guarantee() {
    return guarantee;
  }

  /** Whether it is kept there, if {@link #option} is given. */
  boolean holds(Setting setting) {
    return holder.test(setting);
  }

  /**
   * Whether the landlock strategy claims it, which shows no file system of its own: {@link
   * LandlockIT} attacks that.
   */
  boolean holdsWithLandlock() {
    return LANDLOCK.contains(this);
  }

  private static final Set<Promise> LANDLOCK =
      EnumSet.of(
          NO_CAPABILITIES,
          NO_NEW_PRIVILEGES,
          UNPRIVILEGED_USER,
          GROUPS_DROPPED,
          NO_INHERITED_DESCRIPTORS,
          IN_PLACE);

  /** Tests that attack it and have no room in the catalogue. */
  List<String> otherTests() {
    return switch (this) {
      case OLD_ROOT_UNREACHABLE ->
          List.of(
              "GuaranteeIT.withoutAUserNamespaceTheOldRootIsReachableUnlessLandlockForbids",
              "WorkingDirectoryIT.aPlantedLinkToADescriptorLeadsNowhere",
              "WorkingDirectoryIT.neitherByTheCallersDirectoryNorByItsHome",
              "EscapeIT.launchersAreHiddenWhereTheyCouldBeWritten");
      case OLD_ROOT_UNMOUNTED -> List.of("GuaranteeIT.onlyAChrootLeavesTheOldRootBelow");
      case NO_CAPABILITIES, NO_INHERITED_DESCRIPTORS -> List.of("EscapeIT.nothingIsInherited");
      case OWN_USER_NAMESPACE -> List.of("GuaranteeIT.theUserNamespaceOwnsNothing");
      case UNPRIVILEGED_USER -> List.of("GuaranteeIT.onlyTheKernelsRootHasRootsFiles");
      case GROUPS_DROPPED ->
          List.of(
              "GuaranteeIT.onlyRootDropsItsGroups", "EscapeIT.supplementaryGroupsOfRootAreDropped");
      case NO_SYMLINK_RACES ->
          List.of("GuaranteeIT.aLinkPlantedJustBeforeBubblewrapLeadsWhereBubblewrapGoes");
      case KERNEL_FILES_CLOSED -> List.of("PresetIT.hostIsHardenedForAKernelRoot");
      case IN_PLACE -> List.of("GuaranteeIT.theCommandIsTheProcessThatWasStarted");
      case DESTINATIONS_CONFINED -> List.of("EscapeIT.directoriesThatCannotBeReadCanBePassed");
      case NO_NEW_PRIVILEGES,
          READ_ONLY_RECURSIVE,
          NO_MOUNT_PROPAGATION,
          NETWORK_ISOLATION,
          IPC_ISOLATION,
          PID_ISOLATION,
          PROCESSES_CLOSED,
          NO_DEVICES,
          COVERED_STAYS_COVERED,
          MOUNTS_STAY_INSIDE,
          ENVIRONMENT_CLEARED,
          NO_NESTED_NAMESPACES,
          SYSTEM_CALLS,
          TERMINAL_CLOSED,
          DIES_WITH_PARENT,
          ENDS_WITH_LAUNCHER,
          WORDS_ARE_WORDS,
          BOUND_IS_CLOSED ->
          List.of();
    };
  }

  static Optional<Promise> of(Guarantee guarantee) {
    return Arrays.stream(values())
        .filter(promise -> promise.guarantee.equals(Optional.of(guarantee)))
        .findFirst();
  }

  /** The attacks on it. */
  List<Attack> attacks() {
    return Attack.ALL.stream().filter(attack -> attack.promise() == this).toList();
  }
}
