package dev.cloister.launch;

import dev.cloister.host.HostReport;
import dev.cloister.spec.SandboxSpec;
import java.io.IOException;

/** What every sandbox of this host's gets, whoever starts it and whatever was asked for. */
public final class Safeguards {
  private Safeguards() {}

  /**
   * The same sandbox, without what would let its command out later: {@link HiddenLaunchers}, {@link
   * ReadOnlyCgroups}.
   *
   * @param directory where launchers are written
   */
  public static SandboxSpec in(SandboxSpec spec, PrivateDirectory directory, HostReport host)
      throws IOException {
    SandboxSpec hiding = HiddenLaunchers.in(spec, directory, host.caller().uid());
    return ReadOnlyCgroups.in(hiding, host);
  }
}
