package dev.cloister.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;

/**
 * How much was attacked, made to fail and tried at random, over all modules, for a person who reads
 * the build's output: printed after the last test of the last module.
 */
final class Summary implements BeforeAllCallback {
  private static final List<String> MODULES = List.of("core", "strategies", "cli");

  @Override
  public void beforeAll(ExtensionContext context) {
    Store all = context.getRoot().getStore(Namespace.create(Summary.class));
    all.computeIfAbsent(Summary.class, _ -> (AutoCloseable) Summary::print);
  }

  private static void print() throws IOException {
    StringBuilder text = new StringBuilder("attacks, faults and fuzz cases:\n");
    for (String kind : List.of("attacks", "faults", "fuzz")) {
      for (String module : MODULES) {
        Path file = Path.of("..", module, "target", "counts", kind);
        if (Files.exists(file)) {
          List<String> words = new ArrayList<>();
          for (String line : Files.readAllLines(file)) {
            words.add(line.replace('=', ' '));
          }
          text.append("  %-8s %-11s %s%n".formatted(kind, module, String.join(", ", words)));
        }
      }
    }
    System.out.println(text);
  }
}
