package dev.comfygateway.upstream;

import dev.comfygateway.GatewayProperties;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationStartedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.stereotype.Component;

import static dev.comfygateway.DurationSetting.text;

/**
 * Report of the settings at start: one line with the effective settings, and a warning
 * about unknown environment variables with the prefixes of settings. Unknown properties
 * from other sources prevent the start.
 */
@Component
class SettingsReport {

	private static final Logger log = LoggerFactory.getLogger(SettingsReport.class);

	private static final Pattern PREFIX = Pattern.compile("(COMFY|GATEWAY)_.+");

	/** Environment variables of an outbound proxy, which the JVM does not read. */
	private static final Pattern PROXY = Pattern.compile("(?i)(HTTPS?|ALL)_PROXY");

	private static final String PROXY_HINT = "; an outbound proxy is set by https.proxyHost and https.proxyPort, such as"
			+ " JAVA_TOOL_OPTIONS=\"-Dhttps.proxyHost=proxy -Dhttps.proxyPort=3128\"";

	/**
	 * Environment variables that Kubernetes sets for a Service, such as
	 * COMFY_GATEWAY_PORT.
	 */
	private static final Pattern SERVICE_VARIABLE = Pattern
		.compile(".+_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)");

	private static final Pattern LIST_ENTRY = Pattern.compile("GATEWAY_ALLOWED_?ORIGINS_\\d+");

	private static final Set<String> SETTINGS = Stream
		.of(settings("COMFY_", ComfyProperties.class), settings("GATEWAY_", GatewayProperties.class))
		.flatMap(names -> names)
		.collect(Collectors.toUnmodifiableSet());

	private final ComfyProperties comfy;

	private final GatewayProperties gateway;

	private final ComfyCloudClient client;

	private final ConfigurableEnvironment environment;

	SettingsReport(ComfyProperties comfy, GatewayProperties gateway, ComfyCloudClient client,
			ConfigurableEnvironment environment) {
		this.comfy = comfy;
		this.gateway = gateway;
		this.client = client;
		this.environment = environment;
	}

	@EventListener
	void report(ApplicationStartedEvent event) {
		log.info(effectiveSettings());
		List<String> unknown = unknown(environment.getSystemEnvironment().keySet());
		if (!unknown.isEmpty()) {
			log.warn("Ignoring unknown environment variables: {}{}", String.join(", ", unknown),
					unknown.stream().anyMatch(PROXY.asMatchPredicate()) ? PROXY_HINT : "");
		}
	}

	/** Returns the effective settings, without the key. */
	String effectiveSettings() {
		return "Upstream %s%s, %s; connect timeout %s, deadline %s, fresh for %s, stale while revalidating %s, stale if error %s, refresh floor %s, cool-down %s to %s%s"
			.formatted(comfy.baseUrl(), client.proxy().map(proxy -> " through the outbound proxy " + proxy).orElse(""),
					key(), text(comfy.connectTimeout()), text(comfy.deadline()), text(gateway.freshFor()),
					text(gateway.staleWhileRevalidate()), text(gateway.staleIfError()), text(gateway.refreshFloor()),
					text(gateway.cooldown()), text(gateway.maxCooldown()),
					gateway.fleet() == GatewayProperties.FleetType.REDIS ? ", fleet through Redis" : "");
	}

	private String key() {
		if (comfy.auth() == ComfyProperties.Auth.NONE) {
			return "no key is sent (comfy.auth=none)";
		}
		return comfy.apiKeyFile() == null ? "key from comfy.api-key" : "key from the file in comfy.api-key-file";
	}

	/**
	 * Returns the sorted names of variables that look like settings but are not read:
	 * unknown variables with the prefixes of settings, and those of a proxy.
	 */
	static List<String> unknown(Set<String> variables) {
		return variables.stream()
			.filter(name -> PROXY.matcher(name).matches()
					|| PREFIX.matcher(name).matches() && !SERVICE_VARIABLE.matcher(name).matches()
							&& !LIST_ENTRY.matcher(name).matches() && !SETTINGS.contains(name))
			.sorted()
			.toList();
	}

	/**
	 * Returns the names of the environment variables of settings, with and without
	 * underscores between words.
	 */
	private static Stream<String> settings(String prefix, Class<? extends Record> properties) {
		return Arrays.stream(properties.getRecordComponents())
			.flatMap(component -> Stream.of(component.getName().replaceAll("([A-Z])", "_$1"), component.getName())
				.map(name -> prefix + name.toUpperCase(Locale.ROOT))
				.flatMap(name -> component.getType().isRecord()
						? settings(name + "_", component.getType().asSubclass(Record.class)) : Stream.of(name)));
	}

}
