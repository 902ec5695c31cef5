import java.nio.file.Path;
import org.apache.solr.embedded.JettyConfig;
import org.apache.solr.embedded.JettySolrRunner;

/** Starts the real Solr of Maven Central in Jetty, on 127.0.0.1: arguments are the Solr home and the port. */
public class Launcher {
  public static void main(String[] arguments) throws Exception {
    JettyConfig config =
        JettyConfig.builder()
            .setContext("/solr")
            .setPort(Integer.parseInt(arguments[1]))
            .stopAtShutdown(true)
            .build();
    JettySolrRunner solr = new JettySolrRunner(Path.of(arguments[0]).toString(), config);
    solr.start();
    Thread.currentThread().join();
  }
}
