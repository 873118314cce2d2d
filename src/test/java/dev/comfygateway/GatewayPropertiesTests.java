package dev.comfygateway;

import dev.comfygateway.support.GatewaySettings;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.bind.BindException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class GatewayPropertiesTests {

	@Test
	void bindWhenNothingIsSetHasDefaults() {
		assertThat(GatewaySettings.with()).isEqualTo(new GatewayProperties("comfy-gateway", Duration.ofSeconds(2),
				Duration.ofSeconds(3), Duration.ofSeconds(30), Duration.ofMillis(500), Duration.ofSeconds(1),
				Duration.ofSeconds(30), 1000, List.of(), GatewayProperties.FleetType.NONE,
				new GatewayProperties.Events(5000), new GatewayProperties.Page(true)));
	}

	@ParameterizedTest
	@ValueSource(strings = { "fresh-for=0s", "fresh-for=5m", "stale-while-revalidate=0s", "stale-while-revalidate=1h",
			"stale-if-error=0s", "stale-if-error=24h", "refresh-floor=0s", "refresh-floor=2s", "cooldown=100ms",
			"cooldown=30s", "max-cooldown=1s", "max-cooldown=15m", "name=a", "name=Edge-7.b_c",
			"name=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl", "allowed-origins=*",
			"allowed-origins=https://a.example,http://localhost:3000,http://[::1]:80,http://my_ui:3000",
			"allowed-origins=", "fresh-for=", "refresh-floor=", "max-waiting=1", "max-waiting=100000",
			"page.enabled=false" })
	void bindWhenWithinBoundsSucceeds(String setting) {
		assertThat(GatewaySettings.with(setting)).isNotNull();
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', value = { "fresh-for=-1ms | gateway.fresh-for",
			"fresh-for=300001ms | gateway.fresh-for", "stale-while-revalidate=-1ms | gateway.stale-while-revalidate",
			"stale-while-revalidate=3600001ms | gateway.stale-while-revalidate",
			"stale-if-error=-1ms | gateway.stale-if-error", "stale-if-error=86400001ms | gateway.stale-if-error",
			"refresh-floor=-1ms | gateway.refresh-floor", "refresh-floor=2001ms | gateway.refresh-floor",
			"cooldown=99ms | gateway.cooldown", "cooldown=30001ms | gateway.cooldown",
			"cooldown=-1s | gateway.cooldown", "max-cooldown=999ms | gateway.cooldown",
			"max-cooldown=99ms | gateway.max-cooldown", "max-cooldown=900001ms | gateway.max-cooldown",
			"fresh-for=9223372036854775807s | gateway.fresh-for",
			"fresh-for=PT2562047788015215H30M7.5S | gateway.fresh-for",
			"fresh-for=-9223372036854775807s | gateway.fresh-for", "name= | gateway.name", "name=7up | gateway.name",
			"name=a b | gateway.name", "name=a; b | gateway.name", "name=ä | gateway.name",
			"name=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm | gateway.name",
			"allowed-origins=https://a.example/ | gateway.allowed-origins",
			"allowed-origins=a.example | gateway.allowed-origins",
			"allowed-origins=https://*.example | gateway.allowed-origins",
			"allowed-origins=null | gateway.allowed-origins",
			"allowed-origins=*,https://a.example | gateway.allowed-origins",
			"allowed-origins=*,x | gateway.allowed-origins", "max-waiting=0 | gateway.max-waiting",
			"max-waiting=-1 | gateway.max-waiting", "max-waiting=100001 | gateway.max-waiting" })
	void bindWhenOutOfBoundsNamesSetting(String setting, String named) {
		assertThatExceptionOfType(BindException.class).isThrownBy(() -> GatewaySettings.with(setting))
			.havingRootCause()
			.isInstanceOfSatisfying(InvalidSettingException.class, rejection -> {
				assertThat(rejection.setting()).isEqualTo(named);
				assertThat(rejection).hasMessageStartingWith(named + " ");
				assertThat(rejection.action()).endsWith(".");
			});
	}

	@Test
	void bindWhenOutOfBoundsReportsValueAndBounds() {
		assertThatExceptionOfType(BindException.class).isThrownBy(() -> GatewaySettings.with("cooldown=50ms"))
			.havingRootCause()
			.isInstanceOfSatisfying(InvalidSettingException.class, rejection -> {
				assertThat(rejection.reason()).isEqualTo("is 50ms, which is out of bounds");
				assertThat(rejection.action()).isEqualTo("Set it to a duration from 100ms to 30s.");
			});
	}

	@ParameterizedTest
	@CsvSource({ "0s, PT0S", "200ms, PT0.2S", "500ms, PT0.5S", "5m, PT0.5S" })
	void refreshFloorWhenNotSetIsAtMostFreshFor(String freshFor, Duration expected) {
		assertThat(GatewaySettings.with("fresh-for=" + freshFor).refreshFloor()).isEqualTo(expected);
	}

	@Test
	void refreshFloorWhenFreshForIsZeroIsZero() {
		assertThat(GatewaySettings.with("fresh-for=0s", "refresh-floor=500ms").refreshFloor()).isZero();
	}

	@Test
	void bindWhenCooldownsAreEqualSucceeds() {
		assertThat(GatewaySettings.with("cooldown=15m", "max-cooldown=15m").cooldown()).hasMinutes(15);
	}

}
