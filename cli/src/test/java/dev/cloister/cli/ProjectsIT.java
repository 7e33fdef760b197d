package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Real builds in a sandbox that shows the host's programs and the project. */
final class ProjectsIT {
  @EverySetting
  void buildsAndRunsAProjectInC(Setting setting) {
    Required.program("make");
    Required.program("gcc");
    Path here = setting.user().work();
    setting.user().write(here, "greeting.h", "const char *greeting(void);\n");
    setting.user().write(here, "greeting.c", "const char *greeting(void) { return \"hello\"; }\n");
    setting
        .user()
        .write(
            here,
            "main.c",
            """
            #include <stdio.h>
            #include "greeting.h"
            int main(void) { return puts(greeting()) < 0; }
            """);
    setting
        .user()
        .write(
            here,
            "Makefile",
            """
            CC = gcc
            hello: main.o greeting.o
            \t$(CC) -o $@ $^
            main.o greeting.o: greeting.h
            check: hello
            \t./hello | grep -x hello
            """);
    setting
        .run("--mount", here.toString())
        .command("make", "-j2", "check")
        .in(here)
        .run()
        .exits(0)
        .assertLine("hello");
    // What was built is the host's, and runs there.
    setting.user().call(here.resolve("hello").toString()).run().prints("hello\n");
  }

  @EverySetting
  void buildsAndRunsAProjectInJava(Setting setting) {
    Path here = setting.user().work();
    Path java = Path.of(System.getProperty("java.home"));
    setting
        .user()
        .write(
            here,
            "Hello.java",
            "public class Hello { public static void main(String[] a) { System.out.println(\"hello\"); } }\n");
    setting
        .run("--preset", "host", "--mount", here.toString())
        .and("--ro-bind", java.toString(), "/jdk", "--setenv", "PATH", "/jdk/bin:/usr/bin:/bin")
        .script(
            "javac -d classes Hello.java && jar cfe hello.jar Hello -C classes . && java -jar hello.jar")
        .in(here)
        .run()
        .prints("hello\n");
    assertTrue(Files.exists(here.resolve("hello.jar")));
  }

  @EverySetting
  void runsMaven(Setting setting) {
    Optional<Path> maven =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
            .map(directory -> Path.of(directory, "mvn"))
            .filter(path -> path.startsWith("/usr") && Files.isExecutable(path))
            .findFirst();
    Required.that(maven.isPresent(), "a Maven below /usr");
    Path here = setting.user().work();
    Ran ran =
        setting
            .run("--mount", here.toString(), "--")
            .and(maven.orElseThrow().toString(), "-v")
            .in(here)
            .run()
            .exits(0);
    assertTrue(ran.out().contains("Apache Maven"), ran::toString);
  }
}
