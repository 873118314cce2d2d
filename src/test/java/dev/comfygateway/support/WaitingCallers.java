package dev.comfygateway.support;

import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.apache.catalina.Context;
import org.apache.catalina.core.StandardContext;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.tomcat.TomcatContextCustomizer;

import static org.hamcrest.Matchers.equalTo;

/** Callers whose request has been taken in and who wait for an answer. */
public class WaitingCallers implements TomcatContextCustomizer {

	private volatile @Nullable StandardContext server;

	@Override
	public void customize(Context context) {
		server = (StandardContext) context;
	}

	/** Waits until so many callers wait. */
	public void await(long count) {
		Awaitility.await()
			.atMost(20, TimeUnit.SECONDS)
			.until(() -> Objects.requireNonNull(server).getInProgressAsyncCount(), equalTo(count));
	}

}
