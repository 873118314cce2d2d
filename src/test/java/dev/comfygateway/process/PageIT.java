package dev.comfygateway.process;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.deque.html.axecore.results.Rule;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.ScreenshotAnimations;
import com.microsoft.playwright.options.ReducedMotion;
import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.Nginx;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests of the page in a browser. The gateway has a fake clock that follows real time and
 * can be advanced by an hour.
 */
@EnabledIf(value = "isChromiumInstalled", disabledReason = "There is no /usr/bin/chromium")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Order(PageIT.FIRST)
class PageIT {

	/** The class takes longest, so it must not start last. */
	static final int FIRST = 0;

	private static final Path CHROMIUM = Path.of("/usr/bin/chromium");

	private static final Path SCREENSHOTS = Path.of("target/screenshots");

	private static final int TIMEOUT_MILLIS = 60_000;

	private static final Duration TICK = Duration.ofMillis(50);

	/**
	 * Message that a browser logs for each failed request, even if the page handles it.
	 */
	private static final String FAILED_REQUEST = "Failed to load resource";

	private final List<String> consoleMessages = new CopyOnWriteArrayList<>();

	private final List<String> scripts = new ArrayList<>();

	private final List<URI> requests = new CopyOnWriteArrayList<>();

	private Playwright playwright;

	private Browser browser;

	private Site site;

	private BrowserContext context;

	private Page page;

	static boolean isChromiumInstalled() {
		return Files.isExecutable(CHROMIUM);
	}

	@BeforeAll
	void launch() {
		PlaywrightAssertions.setDefaultAssertionTimeout(TIMEOUT_MILLIS);
		playwright = Playwright
			.create(new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
		browser = playwright.chromium()
			.launch(new BrowserType.LaunchOptions().setExecutablePath(CHROMIUM).setArgs(List.of("--no-sandbox")));
		site = new Site();
	}

	@AfterAll
	void quit() {
		site.close();
		playwright.close();
	}

	@BeforeEach
	void resetSite() {
		site.reset();
		scripts.clear();
		consoleMessages.clear();
		requests.clear();
		context = browser.newContext();
		page = context.newPage();
	}

	@AfterEach
	void pageCausesNoConsoleMessagesAndNoRequestsToOtherHosts() {
		context.close();
		assertThat(consoleMessages).isEmpty();
		assertThat(requests).isNotEmpty().allMatch(request -> request.getHost().equals("127.0.0.1"));
	}

	@Test
	void firstPaintShowsTheLastHour() {
		site.recordAnHour();
		open();
		assertThat(page.locator("#number")).hasText("12");
		assertThat(page.locator("#state")).hasText("fresh");
		assertThat(page.locator("#age")).hasText(Pattern.compile("observed \\d s ago"));
		assertThat(page.locator("#upstream")).hasText("answering");
		assertThat(page.locator("#saved"))
			.hasText(Pattern.compile("[\\d,]+ \\([\\d,]+ answers, [\\d,]+ upstream requests\\)"));
		assertThat(page.locator("#pod")).not().hasText("–");
		assertThat(page.locator("#chart canvas")).isVisible();
		smallScreenshot("small-hour-light");
		page.setViewportSize(1280, 720);
		page.locator("#table-details summary").click();
		assertThat(page.locator("#table")).containsText("upstream failed");
		assertThat(page.locator("#table")).containsText("no requests");
		assertThat(page.locator("#table tr").count()).isBetween(12, 13);
		assertThat(page.locator("#ask-curl")).hasText(Pattern.compile("curl .* " + site.origin() + "/api/prompt"));
		screenshot("hour-light");
	}

	/**
	 * As in all of these tests, the browser's clock differs from the gateway's by months.
	 */
	@Test
	void historyWhenItArrivesBeforeTheGatewaysClockIsShown() {
		site.recordAnHour();
		scripts.add("""
				const fetchNow = window.fetch;
				const clockMayCome = new Promise((resolve) => (window.tellClock = resolve));
				window.fetch = async (url, options) => {
				  if (url.endsWith('status.json')) {
				    await clockMayCome;
				    return fetchNow(url, options);
				  }
				  if (window.recordIsShown) {
				    return { ok: false };
				  }
				  const response = await fetchNow(url, options);
				  const record = await response.json();
				  setTimeout(() => (window.recordIsShown = true));
				  return { ok: response.ok, json: () => record };
				};""");
		open();
		awaitTrue("window.recordIsShown === true");
		assertThat(page.locator("#number")).hasText("12");
		page.locator("#table-details summary").click();
		assertThat(page.locator("#table tr")).hasCount(0);
		page.evaluate("window.tellClock()");
		assertThat(page.locator("#table")).containsText("upstream failed");
		assertThat(page.locator("#chart canvas")).isVisible();
	}

	@Test
	void pageBeforeTheFirstAnswerShowsThatItWaits() {
		site.restart();
		Hold hold = site.upstream().hold();
		try {
			open();
			assertThat(page.locator("#state")).hasText("waiting");
			assertThat(page.locator("#number")).hasText("?");
			assertThat(page.locator("#upstream")).hasText("no request yet");
			screenshot("waiting");
		}
		finally {
			hold.release();
		}
		assertThat(page.locator("#state")).hasText("fresh");
		assertThat(page.locator("#number")).hasText("3");
	}

	@Test
	void numberIsUpdatedByTheStream() {
		open();
		assertThat(page.locator("#number")).hasText("3");
		assertThat(page.locator("#unit")).hasText("items remaining");
		site.upstream().queueRemaining(1);
		assertThat(page.locator("#number")).hasText("1");
		assertThat(page.locator("#unit")).hasText("item remaining");
		site.upstream().queueRemaining(123_456);
		assertThat(page.locator("#number")).hasText("123,456");
		assertThat(page).hasTitle("123,456 · Comfy Cloud queue");
		assertStreamIsTheFirst();
	}

	@Test
	void stateWhenTheUpstreamFailsAndRecoversIsShown() {
		site.recordAnHour();
		open();
		assertThat(page.locator("#state")).hasText("fresh");
		site.upstream().behave(Behaviour.UNAVAILABLE);
		assertThat(page.locator("#state")).hasText("stale");
		assertThat(page.locator("#number")).hasText("12");
		assertThat(page.locator("#why")).containsText("(503)");
		assertThat(page.locator("#upstream")).hasText(
				Pattern.compile("cool-down after SERVICE_UNAVAILABLE \\(503\\); next attempt in \\d+ s|failing: .*"));
		screenshot("stale");
		site.advance(Duration.ofSeconds(40));
		assertThat(page.locator("#state")).hasText("unknown");
		assertThat(page.locator("#number")).hasText("?");
		assertThat(page.locator("#age")).hasText(Pattern.compile("last answer \\d+ s ago"));
		screenshot("unknown");
		site.upstream().behave(Behaviour.NORMAL);
		site.advance(Duration.ofMinutes(1));
		assertThat(page.locator("#state")).hasText("fresh");
		assertThat(page.locator("#number")).hasText("12");
		assertThat(page.locator("#upstream")).hasText("answering");
	}

	@Test
	void stateWhenTheKeyIsRejectedIsShown() {
		site.upstream().behave(Behaviour.REFUSE);
		open();
		assertThat(page.locator("#state")).hasText("unknown");
		assertThat(page.locator("#why")).containsText("UNAUTHORIZED (401)");
		assertThat(page.locator("#upstream")).hasText(Pattern
			.compile("key refused: UNAUTHORIZED \\(401\\); the operator must replace the key; next attempt in \\d+ s"));
		screenshot("key-refused");
	}

	@Test
	void pageAfterARestartOfTheGatewayReconnects() {
		open();
		assertThat(page.locator("#number")).hasText("3");
		site.restart();
		site.upstream().queueRemaining(4);
		assertThat(page.locator("#number")).hasText("4");
		assertThat(page.locator("#stream")).isHidden();
		consoleMessages.removeIf(text -> text.startsWith(FAILED_REQUEST));
	}

	@Test
	void numberWhenTheGatewayIsDownForTwoHeartbeatsIsGrey() {
		open(new Browser.NewContextOptions(), true);
		assertThat(page.locator("#number")).hasText("3");
		site.stop();
		assertThat(page.locator("#stream")).hasText("Connecting to live updates …");
		assertThat(page.locator("#now")).not().hasAttribute("data-lost", "");
		page.clock().fastForward(31_000);
		assertThat(page.locator("#now")).hasAttribute("data-lost", "");
		assertThat(page.locator("#number")).hasText("3");
		assertThat(page.locator("#state")).hasText("not live");
		assertThat(page.locator("#stream")).containsText("No live updates for 3");
		screenshot("lost");
		site.restart();
		assertThat(page.locator("#stream")).hasText("");
		assertThat(page.locator("#now")).not().hasAttribute("data-lost", "");
		consoleMessages.removeIf(text -> text.startsWith(FAILED_REQUEST));
	}

	/** A proxy can drop a connection without closing it. */
	@Test
	void streamWhenOpenButBrokenIsReplaced() {
		site.requestPrompt();
		scripts.add("""
				window.streams = 0;
				window.EventSource = class {
				  constructor() {
				    window.streams++;
				    setTimeout(() => this.onopen?.());
				  }
				  addEventListener() {}
				  close() {}
				};""");
		open(new Browser.NewContextOptions(), true);
		assertThat(page.locator("#pod")).not().hasText("–");
		awaitTrue("window.streams === 1");
		page.clock().runFor(16_000);
		assertThat(page.locator("#now")).not().hasAttribute("data-lost", "");
		page.clock().runFor(30_000);
		awaitTrue("window.streams > 1");
		assertThat(page.locator("#now")).hasAttribute("data-lost", "");
	}

	@Test
	void pageWhenThereAreTooManyListenersRetries() throws IOException {
		site.restart("gateway.events.max-listeners=1");
		try (RawConnection listener = new RawConnection(site.port())) {
			listener.send(RawConnection.request("GET", "/api/prompt/events"));
			open();
			assertThat(page.locator("#stream"))
				.hasText(Pattern.compile("The gateway currently rejects live updates\\. Next attempt in \\d+ s\\."));
			// The number comes from the polled status
			assertThat(page.locator("#number")).hasText(Pattern.compile("\\d+"));
			screenshot("too-many-listeners");
		}
		site.upstream().queueRemaining(6);
		assertThat(page.locator("#number")).hasText("6");
		assertThat(page.locator("#stream")).isHidden();
		consoleMessages.removeIf(text -> text.startsWith(FAILED_REQUEST));
	}

	@Test
	void numberWhenItChangesOftenIsAnnouncedAtMostEveryTenSeconds() {
		open();
		assertThat(page.locator("#announcement")).hasText(Pattern.compile("3 items remaining, fresh"));
		page.evaluate(
				"""
						() => {
						  window.announcements = 0;
						  new MutationObserver(() => window.announcements++)
						    .observe(document.getElementById('announcement'), { childList: true, characterData: true, subtree: true });
						}""");
		for (int number = 10; number < 14; number++) {
			site.upstream().queueRemaining(number);
			site.time().advance(Duration.ofSeconds(3));
			assertThat(page.locator("#number")).hasText(Integer.toString(number));
		}
		assertThat((Integer) page.evaluate("window.announcements")).isLessThanOrEqualTo(1);
	}

	@Test
	@EnabledIf(value = Nginx.IS_INSTALLED, disabledReason = "There is no /usr/sbin/nginx")
	void pageBehindAPathPrefixWorks() throws Exception {
		try (Nginx nginx = nginx("")) {
			open(new Browser.NewContextOptions(), false, url(nginx));
			assertThat(page.locator("#number")).hasText("3");
			site.upstream().queueRemaining(5);
			assertThat(page.locator("#number")).hasText("5");
			assertStreamIsTheFirst();
			assertThat(page.locator("#chart canvas")).isVisible();
			assertThat(page.locator("#ask-curl")).containsText(url(nginx) + "api/prompt");
			page.close();
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "swagger-ui.html", "swagger-ui/index.html" })
	@EnabledIf(value = Nginx.IS_INSTALLED, disabledReason = "There is no /usr/sbin/nginx")
	void swaggerUiBehindAPathPrefixWithoutAHeaderLoads(String path) throws Exception {
		try (Nginx nginx = nginx("")) {
			open(new Browser.NewContextOptions(), false, url(nginx) + path);
			assertThat(page.locator("#swagger-ui .opblock").first()).isVisible();
			assertThat(page).hasURL(url(nginx) + "swagger-ui/index.html");
			assertThat(requests).allMatch(request -> request.getPath().startsWith("/any/prefix/"));
			page.close();
		}
	}

	@Test
	@EnabledIf(value = Nginx.IS_INSTALLED, disabledReason = "There is no /usr/sbin/nginx")
	void swaggerUiBehindAPathPrefixWithAHeaderSendsRequestsBelowIt() throws Exception {
		try (Nginx nginx = nginx("proxy_set_header X-Forwarded-Prefix /any/prefix;")) {
			open(new Browser.NewContextOptions(), false, url(nginx));
			page.locator("nav a").first().click();
			executeInSwaggerUi();
			assertThat(requests).contains(URI.create(url(nginx) + "api/prompt"))
				.allMatch(request -> request.getPath().startsWith("/any/prefix/"));
			page.close();
		}
	}

	/** Starts nginx with the gateway below a path prefix. */
	private Nginx nginx(String header) throws IOException {
		return Nginx.start("", """
				location /any/prefix/ {
				  proxy_pass http://127.0.0.1:%s/;
				  proxy_set_header Connection "";
				  %s
				}""".formatted(site.port(), header));
	}

	private static String url(Nginx nginx) {
		return "http://127.0.0.1:%s/any/prefix/".formatted(nginx.port());
	}

	@Test
	void pageOnASmallDarkScreenDoesNotOverflow() {
		site.recordAnHour();
		site.upstream().queueRemaining(1_234_567);
		open(new Browser.NewContextOptions().setViewportSize(360, 740)
			.setColorScheme(ColorScheme.DARK)
			.setReducedMotion(ReducedMotion.REDUCE));
		assertThat(page.locator("#number")).hasText("1,234,567");
		page.locator("#table-details summary").click();
		assertThat((Integer) page.evaluate("document.documentElement.scrollWidth")).as(() -> overflowingElements())
			.isLessThanOrEqualTo(360);
		assertThat((String) page.evaluate("getComputedStyle(document.body).backgroundColor"))
			.isEqualTo("rgb(20, 23, 28)");
		screenshot("small-dark");
	}

	/** A second stream would begin with the number even if the first one were broken. */
	private void assertStreamIsTheFirst() {
		assertThat(requests).filteredOn(request -> request.getPath().endsWith("/api/prompt/events")).hasSize(1);
	}

	private String overflowingElements() {
		screenshot("small-dark");
		return String.valueOf(page.evaluate(
				"""
						() => [...document.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > 360)
						  .map((e) => `${e.tagName} ${e.id} ${e.className} ${e.getBoundingClientRect().right}`).slice(0, 12)"""));
	}

	@Test
	void pageIsUsableByKeyboard() {
		open();
		assertThat(page.locator("#number")).hasText("3");
		context.grantPermissions(List.of("clipboard-read", "clipboard-write"));
		page.keyboard().press("Tab");
		assertThat(page.locator(".skip")).isFocused();
		screenshot("skip-link");
		page.keyboard().press("Enter");
		assertThat(page.locator("#main")).isFocused();
		page.keyboard().press("Tab");
		assertThat(page.locator("#table-details summary")).isFocused();
		page.keyboard().press("Enter");
		assertThat(page.locator("#table")).isVisible();
		page.keyboard().press("Tab");
		page.keyboard().press("Tab");
		Locator copy = page.locator("[data-copy=ask-curl]");
		assertThat(copy).isFocused();
		page.keyboard().press("Enter");
		assertThat(copy).containsText("Copied");
		assertThat((String) page.evaluate("navigator.clipboard.readText()")).startsWith("curl ")
			.endsWith(site.origin() + "/api/prompt");
		page.keyboard().press("Tab");
		page.keyboard().press("Enter");
		assertThat(page.locator("#ask-java")).isVisible();
		assertThat(page.locator("#ask-curl")).isHidden();
	}

	@ParameterizedTest
	@EnumSource(names = { "LIGHT", "DARK" })
	void axeReportsNoViolations(ColorScheme scheme) {
		site.recordAnHour();
		open(new Browser.NewContextOptions().setColorScheme(scheme));
		assertThat(page.locator("#state")).hasText("fresh");
		page.locator("#table-details summary").click();
		assertAccessible();
		site.upstream().behave(Behaviour.UNAVAILABLE);
		assertThat(page.locator("#state")).hasText("stale");
		assertAccessible();
		site.advance(Duration.ofSeconds(40));
		assertThat(page.locator("#state")).hasText("unknown");
		assertAccessible();
		smallScreenshot("small-unknown-" + scheme.name().toLowerCase(Locale.ROOT));
		page.evaluate("document.getElementById('now').setAttribute('data-lost', '')");
		assertAccessible();
	}

	private void assertAccessible() {
		assertThat(new AxeBuilder(page).analyze().getViolations()).extracting(Rule::toString).isEmpty();
	}

	@Test
	void documentedScriptWaitsInABrowser() throws IOException {
		open();
		assertThat(page.locator("#number")).hasText("3");
		String documents = Files.readString(Path.of("src/docs/callers.md"));
		String script = documents.split("```js\n")[1].split("```")[0].replace("http://localhost:8080", site.origin());
		page.evaluate("window.left = null; " + script + " waitUntil(1).then((left) => (window.left = left)); null");
		site.upstream().queueRemaining(1);
		awaitTrue("window.left === 1");
	}

	@Test
	void swaggerUiWorksWithTheSamePolicyAndLinksBack() {
		open();
		page.locator("nav a").first().click();
		executeInSwaggerUi();
		screenshot("swagger");
		assertThat(page.locator(".info .description a, .info .renderedMarkdown a").first()).hasAttribute("href", "../");
	}

	private void executeInSwaggerUi() {
		assertThat(page.locator("#swagger-ui .opblock").first()).isVisible();
		page.locator("#operations-workflow-getPromptInfo button.opblock-summary-control").click();
		page.locator("#operations-workflow-getPromptInfo .try-out__btn").click();
		page.locator("#operations-workflow-getPromptInfo button.execute").click();
		assertThat(page.locator("#operations-workflow-getPromptInfo .live-responses-table"))
			.containsText("queue_remaining");
	}

	/**
	 * The page's Content-Security-Policy prevents Playwright from waiting inside the
	 * page.
	 */
	private void awaitTrue(String expression) {
		page.waitForCondition(() -> Boolean.TRUE.equals(page.evaluate(expression)));
	}

	private void open() {
		open(new Browser.NewContextOptions());
	}

	private void open(Browser.NewContextOptions options) {
		open(options, false);
	}

	private void open(Browser.NewContextOptions options, boolean withClock) {
		open(options, withClock, site.origin() + "/");
	}

	private void open(Browser.NewContextOptions options, boolean withClock, String url) {
		context.close();
		context = browser.newContext(options);
		context.addInitScript("addEventListener('securitypolicyviolation', e => console.error("
				+ "'CSP', e.violatedDirective, e.blockedURI, e.sourceFile, e.lineNumber, e.columnNumber, e.target.outerHTML?.slice(0, 300)))");
		scripts.forEach(context::addInitScript);
		page = context.newPage();
		page.onConsoleMessage(message -> {
			if (message.type().equals("error") || message.type().equals("warning")) {
				consoleMessages.add(message.text());
			}
		});
		page.onPageError(consoleMessages::add);
		page.onRequest(request -> {
			if (request.url().startsWith("http")) {
				requests.add(URI.create(request.url()));
			}
		});
		if (withClock) {
			page.clock().install();
		}
		page.navigate(url);
	}

	private void screenshot(String name) {
		page.screenshot(new Page.ScreenshotOptions().setPath(SCREENSHOTS.resolve(name + ".png"))
			.setAnimations(ScreenshotAnimations.DISABLED)
			.setFullPage(true));
	}

	/** Takes a screenshot of the top of the page, for the README. */
	private void smallScreenshot(String name) {
		page.setViewportSize(720, 590);
		page.evaluate("scrollTo(0, 0)");
		page.screenshot(new Page.ScreenshotOptions().setPath(SCREENSHOTS.resolve(name + ".png"))
			.setAnimations(ScreenshotAnimations.DISABLED));
	}

	/** Gateway with its upstream and a running clock. */
	private static final class Site implements AutoCloseable {

		private final ScheduledExecutorService clockwork = Executors.newSingleThreadScheduledExecutor();

		private final int port;

		private TestGateway gateway;

		private boolean hasSettings;

		private volatile FakeTime time;

		Site() {
			gateway = TestGateway.start();
			port = gateway.port();
			time = gateway.time();
			clockwork.scheduleAtFixedRate(() -> time.advance(TICK), 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
		}

		FakeTime time() {
			return time;
		}

		void advance(Duration time) {
			gateway.advance(time);
		}

		SimulatedComfyCloud upstream() {
			return gateway.upstream();
		}

		int port() {
			return port;
		}

		String origin() {
			return "http://127.0.0.1:" + port;
		}

		void stop() {
			gateway.close();
		}

		/** Moves earlier results out of the hour that the page shows. */
		void reset() {
			if (hasSettings) {
				restart();
			}
			upstream().behave(Behaviour.NORMAL);
			upstream().queueRemaining(3);
			time().advance(Duration.ofHours(2));
		}

		/** Starts another gateway on the same port. */
		void restart(String... settings) {
			gateway.close();
			hasSettings = settings.length > 0;
			gateway = TestGateway
				.start(Stream.concat(Stream.of("server.port=" + port), Stream.of(settings)).toArray(String[]::new));
			time = gateway.time();
			upstream().queueRemaining(3);
		}

		void requestPrompt() {
			try {
				RawConnection.get(port, "/api/prompt", "Cache-Control: no-cache");
			}
			catch (IOException e) {
				throw new UncheckedIOException(e);
			}
		}

		/**
		 * Records an hour with changes of the queue, a period without requests, and
		 * failures of the upstream.
		 */
		void recordAnHour() {
			for (int i = 0; i <= 240; i++) {
				upstream().queueRemaining(Math.round(12 + 9 * Math.sin(i / 12.0) + i % 3));
				upstream().behave(i > 150 && i < 170 ? Behaviour.UNAVAILABLE : Behaviour.NORMAL);
				if (i < 60 || i > 90) {
					requestPrompt();
				}
				time().advance(Duration.ofSeconds(15));
			}
			upstream().queueRemaining(12);
			requestPrompt();
		}

		@Override
		public void close() {
			clockwork.shutdownNow();
			gateway.close();
		}

	}

}
