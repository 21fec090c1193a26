import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.IntegralType;
import org.apache.spark.sql.types.StructField;

/** Of each table whose folder is given, a line of JSON: its rows, the sums of its whole and decimal columns, its days. */
public class ReadLake {
  public static void main(String[] folders) {
    SparkSession spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
            .config("spark.databricks.delta.snapshotPartitions", "1")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.ui.enabled", "false")
            .getOrCreate();
    for (String folder : folders) {
      Dataset<Row> table = spark.read().format("delta").load(folder);
      System.out.println("READ " + table.selectExpr(asked(table)).first().json());
    }
    spark.stop();
  }

  private static String[] asked(Dataset<Row> table) {
    List<String> asked = new ArrayList<>(List.of("count(*) as ` rows`"));
    for (StructField field : table.schema().fields()) {
      String name = "`" + field.name() + "`";
      if (field.dataType() instanceof DecimalType || field.dataType() instanceof IntegralType) {
        asked.add("cast(sum(cast(" + name + " as decimal(38, 2))) as string) as " + name);
      } else if (field.name().equals("gaming_day")) {
        asked.add("count(distinct gaming_day) as gaming_day");
      }
    }
    return asked.toArray(new String[0]);
  }
}
