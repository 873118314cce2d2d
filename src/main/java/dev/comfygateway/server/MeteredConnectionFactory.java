package dev.comfygateway.server;

import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.AbstractConnectionFactory;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.SslConnectionFactory;

/**
 * Factory of connections that are charged to a {@link HeapBudget}. It precedes the
 * connector's other factories, including that for TLS.
 */
final class MeteredConnectionFactory extends AbstractConnectionFactory {

	private final HeapBudget budget;

	private final AbstractConnectionFactory next;

	MeteredConnectionFactory(HeapBudget budget, AbstractConnectionFactory next) {
		super("tcp");
		this.budget = budget;
		this.next = next;
	}

	@Override
	public Connection newConnection(Connector connector, EndPoint endPoint) {
		MeteredEndPoint metered = new MeteredEndPoint(endPoint, budget, next instanceof SslConnectionFactory);
		budget.accepted(connector, metered);
		return next.newConnection(connector, metered);
	}

}
