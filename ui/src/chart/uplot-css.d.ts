declare module "uplot/dist/uPlot.min.css" {
  const text: string;
  export default text;
}
