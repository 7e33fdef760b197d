package dev.cloister.probe;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class AppArmorProfileTest {
  private static String profile(String launchers, long uid) {
    return String.join("\n", new AppArmorProfile(Path.of(launchers), uid).lines());
  }

  @Test
  void isForTheDirectoryThatRootMadeForTheUser() {
    String text = profile("/run/user/1000/cloister-1000", 1000);
    assertTrue(
        text.contains("\nprofile cloister-1000 /run/user/1000/cloister-1000/launcher-* "), text);
    assertFalse(text.contains("install -d"), text);
  }

  /** Another user could make a directory of this name first. */
  @Test
  void isForNoDirectoryThatAnybodyCanMake() {
    String text = profile("/tmp/cloister-4294967294", 4294967294L);
    assertFalse(text.contains("/tmp"), text);
    assertTrue(text.contains(" /var/lib/cloister/cloister-4294967294/launcher-* "), text);
    assertTrue(text.contains("install -d -m 700 -o 4294967294 /var/lib/cloister/"), text);
  }

  @Test
  void takesCapabilitiesFromWhatALauncherExecutes() {
    String text = profile("/run/user/7/cloister-7", 7);
    assertTrue(text.contains("allow pix /** -> &cloister-7//&cloister-7-command,"), text);
    String command = text.substring(text.indexOf("profile cloister-7-command"));
    assertTrue(command.contains("deny capability,"), command);
    assertFalse(command.contains("allow capability"), command);
  }
}
