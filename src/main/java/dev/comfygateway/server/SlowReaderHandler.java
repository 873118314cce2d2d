package dev.comfygateway.server;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Handler for callers who do not read their response, or read it slowly.
 * <ul>
 * <li>A small response occupies no thread while its write is pending. Its writer
 * continues immediately, and the request completes with the write.</li>
 * <li>A response that is not written by the deadline is aborted.</li>
 * </ul>
 */
final class SlowReaderHandler extends Handler.Wrapper {

	private final int maxDetached;

	private final Duration deadline;

	/**
	 * Creates the handler.
	 * @param maxDetached maximum size of a small response in bytes
	 * @param deadline maximum time from the first write of a response to its end
	 */
	SlowReaderHandler(int maxDetached, Duration deadline) {
		this.maxDetached = maxDetached;
		this.deadline = deadline;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		TimedResponse timed = new TimedResponse(request, response, callback);
		return super.handle(request, timed, timed);
	}

	private final class TimedResponse extends Response.Wrapper implements Callback {

		private final Callback callback;

		private final Callback.Completable detached = new Callback.Completable(InvocationType.NON_BLOCKING);

		private boolean isDetached;

		private Scheduler.@Nullable Task timeout;

		TimedResponse(Request request, Response response, Callback callback) {
			super(request, response);
			this.callback = callback;
		}

		@Override
		public void write(boolean last, @Nullable ByteBuffer content, Callback written) {
			if (isDetached) {
				// The servlet completes a response that its error handler has already
				// completed
				written.succeeded();
				return;
			}
			if (!last || BufferUtil.remaining(content) > maxDetached) {
				startDeadline();
				super.write(last, content, written);
				return;
			}
			isDetached = true;
			// The writer may reuse its buffer
			super.write(true, BufferUtil.copy(content), detached);
			if (!detached.isDone()) {
				startDeadline();
			}
			written.succeeded();
		}

		private void startDeadline() {
			if (timeout == null) {
				timeout = getRequest().getComponents()
					.getScheduler()
					.schedule(Abort.of(getRequest())::close, deadline.toMillis(), TimeUnit.MILLISECONDS);
			}
		}

		@Override
		public void succeeded() {
			complete(null);
		}

		@Override
		public void failed(Throwable failure) {
			complete(failure);
		}

		private void complete(@Nullable Throwable failure) {
			if (!isDetached) {
				end(failure);
				return;
			}
			detached.whenComplete((nothing, writeFailure) -> end(failure != null ? failure : writeFailure));
		}

		private void end(@Nullable Throwable failure) {
			if (timeout != null) {
				timeout.cancel();
			}
			if (failure == null) {
				callback.succeeded();
			}
			else {
				callback.failed(failure);
			}
		}

	}

}
