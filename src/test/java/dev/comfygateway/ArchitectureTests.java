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
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

@AnalyzeClasses(packages = "dev.comfygateway", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTests {

	private static final String ROOT = "dev.comfygateway";

	private static final String PROMPT = "dev.comfygateway.prompt..";

	private static final String OPENAPI = "dev.comfygateway.openapi..";

	private static final String CACHE = "dev.comfygateway.cache..";

	private static final String UPSTREAM = "dev.comfygateway.upstream..";

	private static final String ERROR = "dev.comfygateway.error..";

	private static final String SERVER = "dev.comfygateway.server..";

	private static final String EVENTS = "dev.comfygateway.events..";

	private static final String FLEET = "dev.comfygateway.fleet..";

	private static final String TRACING = "dev.comfygateway.tracing..";

	private static final String LOG = "dev.comfygateway.log..";

	private static final String START = "dev.comfygateway.start..";

	private static final String PAGE = "dev.comfygateway.page..";

	@ArchTest
	static final ArchRule packagesHaveNoCycles = slices().matching("dev.comfygateway.(*)..").should().beFreeOfCycles();

	/** Layers, and for each one the layers that may access it. */
	@ArchTest
	static final ArchRule packagesKnowThoseBelowThem = layeredArchitecture().consideringOnlyDependenciesInLayers()
		.layer("prompt")
		.definedBy(PROMPT)
		.layer("openapi")
		.definedBy(OPENAPI)
		.layer("server")
		.definedBy(SERVER)
		.layer("error")
		.definedBy(ERROR)
		.layer("cache")
		.definedBy(CACHE)
		.layer("upstream")
		.definedBy(UPSTREAM)
		.layer("events")
		.definedBy(EVENTS)
		.layer("fleet")
		.definedBy(FLEET)
		.layer("tracing")
		.definedBy(TRACING)
		.layer("page")
		.definedBy(PAGE)
		.layer("log")
		.definedBy(LOG)
		.layer("start")
		.definedBy(START)
		.layer("settings")
		.definedBy(ROOT)
		.whereLayer("prompt")
		.mayNotBeAccessedByAnyLayer()
		.whereLayer("server")
		.mayOnlyBeAccessedByLayers("prompt", "openapi", "page", "events", "tracing")
		.whereLayer("openapi")
		.mayOnlyBeAccessedByLayers("prompt", "events")
		.whereLayer("page")
		.mayNotBeAccessedByAnyLayer()
		.whereLayer("cache")
		.mayOnlyBeAccessedByLayers("prompt", "page", "fleet", "events")
		.whereLayer("events")
		.mayNotBeAccessedByAnyLayer()
		.whereLayer("fleet")
		.mayNotBeAccessedByAnyLayer()
		.whereLayer("error")
		.mayOnlyBeAccessedByLayers("prompt", "openapi", "page", "server", "cache", "events")
		.whereLayer("upstream")
		.mayOnlyBeAccessedByLayers("prompt", "page", "cache", "error", "fleet", "events")
		.whereLayer("tracing")
		.mayOnlyBeAccessedByLayers("prompt")
		.whereLayer("log")
		.mayOnlyBeAccessedByLayers("settings", "prompt", "server", "cache", "events", "fleet")
		.whereLayer("start")
		.mayNotBeAccessedByAnyLayer()
		.whereLayer("settings")
		.mayOnlyBeAccessedByLayers("start", "prompt", "openapi", "page", "server", "cache", "upstream", "fleet",
				"events");

	@ArchTest
	static final ArchRule jettyIsUsedOnlyByServerUpstreamEventsAndAccelerator = noClasses().that()
		.resideOutsideOfPackages(SERVER, UPSTREAM, EVENTS)
		.and()
		.haveNameNotMatching(".*\\.prompt\\.(PromptAccelerator|PromptConfiguration)(\\$.*)?")
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage("org.eclipse.jetty..", "org.springframework.boot.jetty..");

	@ArchTest
	static final ArchRule onlyFleetKnowsRedis = noClasses().that()
		.resideOutsideOfPackage(FLEET)
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage("io.lettuce..", "org.springframework.data..", "org.springframework.boot.data..");

	@ArchTest
	static final ArchRule nothingIsBuiltOnInternals = noClasses().should()
		.dependOnClassesThat(resideInAPackage("..internal..").or(resideInAPackage("sun..")));

	@ArchTest
	static final ArchRule nothingIsHandedOverByThreadLocals = noFields().should()
		.haveRawType(JavaClass.Predicates.assignableTo(ThreadLocal.class));

	@ArchTest
	static final ArchRule cacheErrorAndUpstreamUseNoServlets = noClasses().that()
		.resideInAnyPackage(CACHE, ERROR, UPSTREAM)
		.should()
		.dependOnClassesThat()
		.resideInAPackage("jakarta.servlet..");

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
		.haveNameMatching(".*\\.ApiKey(Source)?")
		.should()
		.onlyHaveDependentClassesThat()
		.haveNameMatching("dev\\.comfygateway\\.upstream\\.(ApiKey(Source)?|ComfyCloudClient|ResponseReader)(\\$.*)?");

	@ArchTest
	static final ArchRule onlyKeyAndClientKnowItsSettings = classes().that()
		.haveSimpleName("ComfyProperties")
		.should()
		.onlyHaveDependentClassesThat()
		.haveNameMatching(
				"dev\\.comfygateway\\.upstream\\.(ApiKeySource|ComfyProperties|SettingsReport|ComfyCloudClient|Deadline|Upstream(Configuration|HttpClientFactory))(\\$.*)?");

	@ArchTest
	static final ArchRule controllersAreInPromptAndPage = classes().that()
		.areMetaAnnotatedWith(Controller.class)
		.should()
		.resideInAnyPackage(PROMPT, PAGE);

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
	static final ArchRule nothingUsesJavaUtilLogging = noClasses().should()
		.dependOnClassesThat()
		.resideInAPackage("java.util.logging..");

	@ArchTest
	static final ArchRule nothingPrints = GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;

	/** {@code TrustManager} is a term of the JDK. */
	@ArchTest
	static final ArchRule namesSayWhat = noClasses().should()
		.haveNameMatching(".*(Impl|Utils?|Helper|(?<!Trust)Manager|Processor)(\\$.*)?");

	@ArchTest
	static void onlyThosePackagesExist(JavaClasses classes) {
		assertThat(classes.stream().map(JavaClass::getPackageName)).containsOnly(ROOT, ROOT + ".start",
				ROOT + ".prompt", ROOT + ".openapi", ROOT + ".cache", ROOT + ".upstream", ROOT + ".error",
				ROOT + ".server", ROOT + ".tracing", ROOT + ".fleet", ROOT + ".events", ROOT + ".page", ROOT + ".log");
	}

}
