package dev.cloister.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The house rules for modules and packages; this module is the one that sees them all. */
final class ArchitectureTest {
  private static final String FFM = "dev.cloister.ffm";
  private static final String GENERATED = FFM + ".generated..";

  /** The packages of each module, leftmost module first. */
  private static final String[] FFM_PACKAGES = {FFM + ".."};

  private static final String[] CORE_PACKAGES = {
    "dev.cloister.spec..",
    "dev.cloister.program..",
    "dev.cloister.machine..",
    "dev.cloister.host..",
    "dev.cloister.probe..",
    "dev.cloister.recipe..",
    "dev.cloister.sandbox..",
    "dev.cloister.seccomp..",
    "dev.cloister.strategy..",
    "dev.cloister.launch.."
  };
  private static final String[] STRATEGIES_PACKAGES = {"dev.cloister.strategies.."};
  private static final String[] CLI_PACKAGES = {"dev.cloister.cli.."};

  private static final JavaClasses CLOISTER =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.cloister");

  @Test
  void eachModuleKnowsOnlyThoseToItsLeft() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("ffm-bindings")
        .definedBy(FFM_PACKAGES)
        .layer("core")
        .definedBy(CORE_PACKAGES)
        .layer("strategies")
        .definedBy(STRATEGIES_PACKAGES)
        .layer("cli")
        .definedBy(CLI_PACKAGES)
        .whereLayer("ffm-bindings")
        .mayNotAccessAnyLayer()
        .whereLayer("core")
        .mayOnlyAccessLayers("ffm-bindings")
        .whereLayer("strategies")
        .mayOnlyAccessLayers("core", "ffm-bindings")
        .whereLayer("cli")
        .mayNotBeAccessedByAnyLayer()
        .check(CLOISTER);
  }

  /** A package that no rule knows would be bound by none. */
  @Test
  void everyPackageHasItsModule() {
    classes()
        .should()
        .resideInAnyPackage(
            Stream.of(FFM_PACKAGES, CORE_PACKAGES, STRATEGIES_PACKAGES, CLI_PACKAGES)
                .flatMap(Stream::of)
                .toArray(String[]::new))
        .check(CLOISTER);
  }

  @Test
  void onlyTheSystemCallLayerTouchesGeneratedCode() {
    noClasses()
        .that()
        .resideOutsideOfPackages(FFM, GENERATED)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(GENERATED)
        .because("jextract's output is a leaf: " + FFM + " alone makes it safe to use")
        .check(CLOISTER);
  }

  @Test
  void packagesAreFreeOfCycles() {
    slices().matching("dev.cloister.(**)").should().beFreeOfCycles().check(CLOISTER);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Impl", "Util", "Utils", "Helper", "Manager"})
  void namesSayWhatAClassIs(String emptyWord) {
    noClasses()
        .that()
        .resideOutsideOfPackage(GENERATED)
        .should()
        .haveSimpleNameEndingWith(emptyWord)
        .check(CLOISTER);
  }

  @Test
  void gsonOnlyWrites() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("com.google.gson", "com.google.gson.reflect..")
        .because("its data binding is reflection, which start-up cannot afford: use JsonWriter")
        .check(CLOISTER);
  }
}
