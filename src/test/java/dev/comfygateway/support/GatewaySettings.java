package dev.comfygateway.support;

import dev.comfygateway.GatewayProperties;
import java.util.HashMap;
import java.util.Map;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

/** {@link GatewayProperties} bound from settings. */
public final class GatewaySettings {

	private GatewaySettings() {
	}

	/**
	 * Returns the defaults, overridden by the settings.
	 * @param settings settings such as {@code fresh-for=5s}
	 */
	public static GatewayProperties with(String... settings) {
		Map<String, String> values = new HashMap<>();
		for (String setting : settings) {
			String[] pair = setting.split("=", 2);
			values.put("gateway." + pair[0], pair[1]);
		}
		return new Binder(new MapConfigurationPropertySource(values)).bindOrCreate("gateway", GatewayProperties.class);
	}

}
