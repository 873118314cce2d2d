package dev.comfygateway.events;

import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.IntegerSchema;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.parameters.HeaderParameter;
import io.swagger.v3.oas.models.parameters.QueryParameter;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.responses.ApiResponses;
import java.math.BigDecimal;
import java.util.List;
import org.springdoc.core.customizers.OpenApiCustomizer;

/** Description of the stream, which has no controller that springdoc could read. */
class EventsOperation implements OpenApiCustomizer {

	private static final String EXAMPLE = """
			retry: 2741

			event: prompt
			id: 1795592265554
			data: {"exec_info":{"queue_remaining":3}}

			""";

	@Override
	public void customise(OpenAPI document) {
		ApiResponses responses = new ApiResponses();
		responses.addApiResponse("200", new ApiResponse()
			.description("Events `prompt`, `stale`, `unknown` and, with `until`, `done` at the end."
					+ " The data of `prompt` and `done` is a `PromptInfo`, that of the others an `ErrorResponse`.")
			.content(new Content().addMediaType("text/event-stream",
					new MediaType().schema(new StringSchema()).example(EXAMPLE))));
		responses.addApiResponse("204", new ApiResponse().description("A reconnect behind the `done` of its stream"));
		responses.addApiResponse("400", error("`until` is not a number from 0 to 2^63-1."));
		responses.addApiResponse("405", error("Another method than `GET`, `HEAD` and `OPTIONS`."));
		responses.addApiResponse("503",
				error("Too many callers listen already (`TOO_MANY_WAITING`), or the gateway is shutting down"
						+ " (`SHUTTING_DOWN`). `Retry-After` says when to come again."));
		document.getPaths()
			.addPathItem(EventsHandler.PATH, new PathItem().get(new Operation().operationId("getPromptEvents")
				.tags(List.of("workflow"))
				.summary("Listen to the prompt execution queue")
				.description("Server-sent events: the state at once where it is known, then every change. A comment"
						+ " comes every 15 s. While somebody listens, the upstream is asked once per"
						+ " `gateway.fresh-for`.")
				.parameters(List.of(
						new QueryParameter().name("until")
							.description("Ends the stream with `done` as soon as a value that was observed after the"
									+ " request came is at most this number")
							.required(false)
							.schema(new IntegerSchema().format("int64").minimum(BigDecimal.ZERO))
							.example(0),
						new HeaderParameter().name("Last-Event-ID")
							.description("Id of the last event of an earlier stream; browsers send it by themselves")
							.required(false)
							.schema(new StringSchema())
							.example("1795592265554")))
				.responses(responses)));
	}

	private static ApiResponse error(String description) {
		return new ApiResponse().description(description)
			.content(new Content().addMediaType("application/json",
					new MediaType().schema(new Schema<>().$ref("ErrorResponse"))));
	}

}
