package dev.comfygateway.upstream;

import dev.comfygateway.DurationSetting;
import dev.comfygateway.InvalidSettingException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the upstream.
 *
 * @param apiKey the shared key; mutually exclusive with {@code apiKeyFile}
 * @param apiKeyFile file that contains the shared key, read again when its content
 * changes
 * @param baseUrl URL of Comfy Cloud or of a ComfyUI server, without {@code /api/prompt}
 * @param auth how to authenticate with the upstream; {@code none} sends no key
 * @param allowInsecure whether the key may be sent over plain http to a host that is not
 * loopback
 * @param connectTimeout maximum time to connect; at least 10 ms, at most {@code deadline}
 * @param deadline maximum time of a fetch, including connecting, the retry and the body;
 * 100 ms to 60 s
 */
@ConfigurationProperties(prefix = "comfy", ignoreUnknownFields = false)
record ComfyProperties(@Nullable String apiKey, @Nullable Path apiKeyFile,
		@DefaultValue("https://cloud.comfy.org") String baseUrl, @DefaultValue("api-key") Auth auth,
		@DefaultValue("false") boolean allowInsecure, @DefaultValue("1s") Duration connectTimeout,
		@DefaultValue("2500ms") Duration deadline) {

	/** How to authenticate with the upstream. */
	enum Auth {

		/** Sends the shared key as {@code X-API-Key}. */
		API_KEY,
		/** Sends no key, for a self-hosted ComfyUI. */
		NONE

	}

	ComfyProperties {
		apiKey = apiKey == null || apiKey.isBlank() ? null : apiKey;
		apiKeyFile = apiKeyFile == null || apiKeyFile.toString().isBlank() ? null : apiKeyFile;
		BaseUrl url = url(withoutSlashes(baseUrl));
		if (auth == Auth.API_KEY) {
			requireOneKey(apiKey, apiKeyFile);
			requireConfidential(url, allowInsecure);
		}
		DurationSetting.requireBetween("comfy.deadline", deadline, Duration.ofMillis(100), Duration.ofSeconds(60));
		DurationSetting.requireBetween("comfy.connect-timeout", connectTimeout, Duration.ofMillis(10), deadline);
	}

	/** Returns the URL without trailing slashes. */
	@Override
	public String baseUrl() {
		return withoutSlashes(baseUrl);
	}

	/** Returns the parsed URL. */
	BaseUrl url() {
		return url(baseUrl());
	}

	private static BaseUrl url(String baseUrl) {
		// The value is omitted, since it can contain a password
		return BaseUrl.parse(baseUrl)
			.orElseThrow(() -> new InvalidSettingException("comfy.base-url", "is not an http or https URL of a host",
					"Use a URL such as https://cloud.comfy.org, without user name, query or fragment."));
	}

	private static String withoutSlashes(String url) {
		return url.strip().replaceFirst("/+$", "");
	}

	private static void requireOneKey(@Nullable String apiKey, @Nullable Path apiKeyFile) {
		if (apiKey == null && apiKeyFile == null) {
			throw new InvalidSettingException("comfy.api-key", "is missing, and so is comfy.api-key-file",
					"Set COMFY_API_KEY to a key from https://platform.comfy.org/profile/api-keys, or"
							+ " COMFY_API_KEY_FILE to a file that contains it. For a ComfyUI server without keys set"
							+ " COMFY_AUTH=none.");
		}
		if (apiKey != null && apiKeyFile != null) {
			throw new InvalidSettingException("comfy.api-key", "is set together with comfy.api-key-file",
					"Keep one of the two. Keep the file to rotate the key without a restart.");
		}
	}

	private static void requireConfidential(BaseUrl url, boolean allowInsecure) {
		if (!allowInsecure && !url.isConfidential()) {
			throw new InvalidSettingException("comfy.base-url", "would send the key over plain http",
					"Use https. To accept that anyone on the network path can read the key, set"
							+ " COMFY_ALLOW_INSECURE=true.");
		}
	}

	@Override
	public String toString() {
		return "ComfyProperties[baseUrl=%s, auth=%s, connectTimeout=%s, deadline=%s]".formatted(baseUrl, auth,
				connectTimeout, deadline);
	}
}
