package dev.cloister.ffm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A symbol that jextract was told to include.
 *
 * @param kind such as {@code constant} or {@code struct}
 */
record Symbol(String kind, String name) {
  static final Path DIRECTORY = Path.of("src/main/jextract");

  private static final String OPTION = "--include-";

  static List<Symbol> in(String... files) throws IOException {
    Stream.Builder<Symbol> symbols = Stream.builder();
    for (String file : files) {
      for (String line : Files.readAllLines(DIRECTORY.resolve(file))) {
        if (line.startsWith(OPTION)) {
          int space = line.indexOf(' ');
          String kind = line.substring(OPTION.length(), space);
          symbols.add(new Symbol(kind, line.substring(space + 1)));
        }
      }
    }
    return symbols.build().toList();
  }

  boolean isConstant() {
    return kind.equals("constant");
  }

  boolean isType() {
    return kind.equals("struct") || kind.equals("union") || kind.equals("typedef");
  }

  /** The symbol where C wants a type. */
  String cType() {
    return kind.equals("typedef") ? name : kind + " " + name;
  }
}
