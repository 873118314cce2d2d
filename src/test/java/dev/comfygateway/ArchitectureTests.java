package dev.comfygateway;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.GeneralCodingRules;
import java.util.List;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Controller;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

@AnalyzeClasses(packages = "dev.comfygateway", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTests {

	private static final String ROOT = "dev.comfygateway";

	private static final String PROMPT = "dev.comfygateway.prompt..";

	private static final String CACHE = "dev.comfygateway.cache..";

	private static final String UPSTREAM = "dev.comfygateway.upstream..";

	private static final String ERROR = "dev.comfygateway.error..";

	private static final String SERVER = "dev.comfygateway.server..";

	private static final String TRACING = "dev.comfygateway.tracing..";

	@ArchTest
	static final ArchRule packagesHaveNoCycles = slices().matching("dev.comfygateway.(*)..").should().beFreeOfCycles();

	@ArchTest
	static final ArchRule rootKnowsNoOtherPackage = noClasses().that()
		.resideInAPackage(ROOT)
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage(PROMPT, CACHE, UPSTREAM, ERROR, TRACING);

	@ArchTest
	static final ArchRule upstreamKnowsNoOtherPackage = noClasses().that()
		.resideInAPackage(UPSTREAM)
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage(PROMPT, CACHE, ERROR);

	@ArchTest
	static final ArchRule cacheKnowsUpstreamOnly = noClasses().that()
		.resideInAPackage(CACHE)
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage(PROMPT, ERROR);

	@ArchTest
	static final ArchRule errorKnowsUpstreamOnly = noClasses().that()
		.resideInAPackage(ERROR)
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage(PROMPT, CACHE);

	@ArchTest
	static final ArchRule serverKnowsNoOtherPackage = noClasses().that()
		.resideInAPackage(SERVER)
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage(PROMPT, CACHE, UPSTREAM, ERROR);

	@ArchTest
	static final ArchRule tracingKnowsNoOtherPackage = noClasses().that()
		.resideInAPackage(TRACING)
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage(PROMPT, CACHE, UPSTREAM, ERROR, SERVER);

	@ArchTest
	static final ArchRule onlyUpstreamSpeaksHttpToOthers = noClasses().that()
		.resideOutsideOfPackage(UPSTREAM)
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage("org.springframework.web.reactive..", "org.springframework.web.client..",
				"org.springframework.http.client..", "org.springframework.boot.http.client..",
				"org.eclipse.jetty.client..", "org.eclipse.jetty.reactive..", "java.net.http..")
		.orShould()
		.dependOnClassesThat()
		.haveNameMatching("java\\.net\\.(URL|URLConnection|HttpURLConnection|Socket)");

	@ArchTest
	static final ArchRule onlyClientKnowsKey = classes().that()
		.haveNameMatching(".*\\.ApiKey(\\$Current)?")
		.should()
		.onlyHaveDependentClassesThat()
		.haveNameMatching("dev\\.comfygateway\\.upstream\\.(ApiKey|ComfyCloudClient)(\\$.*)?");

	@ArchTest
	static final ArchRule onlyKeyAndClientKnowItsSettings = classes().that()
		.haveSimpleName("ComfyProperties")
		.should()
		.onlyHaveDependentClassesThat()
		.haveNameMatching(
				"dev\\.comfygateway\\.upstream\\.(ApiKey|ComfyProperties|ComfyCloudClient|Upstream(Configuration|Connections))(\\$.*)?");

	@ArchTest
	static final ArchRule controllersAnswerPrompts = classes().that()
		.areMetaAnnotatedWith(Controller.class)
		.should()
		.resideInAPackage(PROMPT);

	@ArchTest
	static final ArchRule fieldsAreNotInjected = noFields().should()
		.beAnnotatedWith(Autowired.class)
		.orShould()
		.beAnnotatedWith(Value.class)
		.orShould()
		.beAnnotatedWith("jakarta.inject.Inject")
		.orShould()
		.beAnnotatedWith("jakarta.annotation.Resource");

	@ArchTest
	static final ArchRule settingsAreBoundToRecords = noClasses().should()
		.dependOnClassesThat()
		.areAssignableTo(Value.class);

	@ArchTest
	static final ArchRule nothingUsesJavaUtilLogging = noClasses().should()
		.dependOnClassesThat()
		.resideInAPackage("java.util.logging..");

	@ArchTest
	static final ArchRule nothingPrints = GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;

	@ArchTest
	static final ArchRule namesSayWhat = noClasses().should()
		.haveNameMatching(".*(Impl|Utils?|Helper|Manager|Processor)(\\$.*)?");

	@ArchTest
	static void packagesAllHaveClasses(JavaClasses classes) {
		assertThat(List.of(PROMPT, CACHE, UPSTREAM, ERROR, SERVER, TRACING))
			.allSatisfy(name -> assertThat(classes.that(resideInAPackage(name)).stream().map(JavaClass::getSimpleName))
				.hasSizeGreaterThan(1));
	}

	@ArchTest
	static void onlyThosePackagesExist(JavaClasses classes) {
		assertThat(classes.stream().map(JavaClass::getPackageName)).containsOnly(ROOT, ROOT + ".prompt",
				ROOT + ".cache", ROOT + ".upstream", ROOT + ".error", ROOT + ".server", ROOT + ".tracing");
	}

}
